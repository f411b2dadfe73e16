// Adds to a page that is complete without it: a theme that can be chosen, the section in view in the navigation, and
// readouts with one cursor across all charts. Readouts come from the tables under the charts.
(() => {
  "use strict";
  const root = document.documentElement;

  // Theme
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const KEY = "replab-theme";
  const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem(KEY, theme); } catch { /* a file may have no storage */ } };
  const shown = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const label = () => {
    button.textContent = shown() === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-label", `Switch to the ${button.textContent.toLowerCase()} theme`);
  };
  const before = remembered();
  if (before === "dark" || before === "light") root.dataset.theme = before;
  button.addEventListener("click", () => {
    root.dataset.theme = shown() === "dark" ? "light" : "dark";
    remember(root.dataset.theme);
    label();
  });
  dark.addEventListener("change", label);
  button.hidden = false;
  label();

  // Navigation
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const inView = new Set();
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) inView[entry.isIntersecting ? "add" : "delete"](entry.target.id);
    const current = [...links.keys()].find((id) => inView.has(id));
    for (const [id, link] of links) {
      if (id === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-20% 0px -60% 0px" });
  for (const id of links.keys()) {
    const section = document.getElementById(id);
    if (section) watch.observe(section);
  }

  // Charts
  const readout = document.getElementById("readout");
  const charts = [...document.querySelectorAll(".chart[data-x0]")].map((figure) => {
    const svg = figure.querySelector(".plot svg");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    line.setAttribute("class", "cursor");
    line.setAttribute("visibility", "hidden");
    svg.append(line);
    // The title's own tooltip would lie over the readout; its text stays as the picture's name.
    const title = svg.querySelector("title");
    const description = svg.querySelector("desc");
    svg.removeAttribute("aria-labelledby");
    svg.setAttribute("aria-label", title.textContent);
    svg.setAttribute("aria-describedby", description.id);
    title.remove();
    svg.setAttribute("tabindex", "0");
    const rows = [...figure.querySelectorAll(".numbers tbody tr")];
    return {
      figure, svg, line, rows,
      times: rows.map((row) => Number(row.dataset.t)),
      names: [...figure.querySelectorAll(".numbers thead th")].map((cell) => cell.textContent),
      start: Number(figure.dataset.x0), end: Number(figure.dataset.x1),
      left: Number(figure.dataset.left), right: Number(figure.dataset.right),
    };
  });
  const nearest = (times, time) => {
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle] < time) low = middle + 1; else high = middle;
    }
    return low > 0 && time - times[low - 1] < times[low] - time ? low - 1 : low;
  };
  const mark = (time) => {
    for (const chart of charts) {
      const box = chart.svg.viewBox.baseVal;
      const share = (time - chart.start) / (chart.end - chart.start);
      const x = box.width * (chart.left + (chart.right - chart.left) * share);
      for (const [name, value] of [["x1", x], ["x2", x], ["y1", 0], ["y2", box.height - 28], ["visibility", "visible"]]) {
        chart.line.setAttribute(name, value);
      }
    }
  };
  const show = (chart, time, x, y) => {
    mark(time);
    readout.replaceChildren();
    const row = chart.rows[nearest(chart.times, time)];
    if (!row) return;
    const cells = [...row.children].map((cell) => cell.textContent);
    const heading = document.createElement("b");
    heading.textContent = cells[0];
    readout.append(heading);
    for (let place = 1; place < cells.length; place += 1) {
      const entry = document.createElement("span");
      for (const text of [chart.names[place], cells[place]]) {
        const part = document.createElement("i");
        part.style.fontStyle = "normal";
        part.textContent = text;
        entry.append(part);
      }
      readout.append(entry);
    }
    readout.classList.add("shown");
    const size = readout.getBoundingClientRect();
    const left = x + 18 + size.width > innerWidth ? x - size.width - 18 : x + 18;
    readout.style.left = `${Math.max(4, left)}px`;
    readout.style.top = `${Math.min(Math.max(4, y - size.height / 2), innerHeight - size.height - 4)}px`;
  };
  const hide = () => {
    readout.classList.remove("shown");
    for (const chart of charts) chart.line.setAttribute("visibility", "hidden");
  };
  for (const chart of charts) {
    chart.svg.addEventListener("pointermove", (event) => {
      const box = chart.svg.getBoundingClientRect();
      const share = ((event.clientX - box.left) / box.width - chart.left) / (chart.right - chart.left);
      if (share < 0 || share > 1) return hide();
      show(chart, chart.start + share * (chart.end - chart.start), event.clientX, event.clientY);
    });
    chart.svg.addEventListener("pointerleave", hide);
    chart.svg.addEventListener("blur", hide);
    let place = 0;
    chart.svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
      if (event.key === "Escape") return hide();
      if (step === undefined || chart.times.length === 0) return;
      event.preventDefault();
      place = Math.min(Math.max(place + step, 0), chart.times.length - 1);
      const box = chart.svg.getBoundingClientRect();
      const share = (chart.times[place] - chart.start) / (chart.end - chart.start);
      show(chart, chart.times[place], box.left + box.width * (chart.left + (chart.right - chart.left) * share), box.top + box.height / 3);
    });
  }
})();
