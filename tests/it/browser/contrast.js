const channels = (color) => (color.match(/[\d.]+/g) || []).map(Number);
const luminance = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = channels(getComputedStyle(at).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
const poor = new Set();
let looked = 0;
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || ["SCRIPT", "TITLE", "title", "desc"].includes(element.tagName) || element.closest("#readout")) continue;
  const style = getComputedStyle(element);
  const color = channels(element.ownerSVGElement ? style.fill : style.color);
  const [a, b] = [luminance(color), luminance(ground(element))].sort((x, y) => y - x);
  looked += 1;
  if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(`${element.tagName}.${element.getAttribute("class")}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
}
if (looked < 100) poor.add(`only ${looked} texts were looked at`);
return [...poor];
