#!/bin/sh
# Checks the templates (*.yaml) and the policies (*.json) of this folder with cfn-lint, or those that are named. Where it
# cannot be had that is said; with REPLAB_REQUIRE_AWS=1 it is a failure.
set -eu
here=$(dirname "$0")
. "$here/pip.sh"

release=1.58.0
tool cfn-lint "$release" "cfn-lint==$release" || skip "$why; what is in infra/ was not checked" 0

[ $# -gt 0 ] || set -- "$here"/*.yaml "$here"/*.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# A policy by itself is no template: it is checked as the document of one. Each file goes to the end of the list.
for file in "$@"; do
    shift
    case $file in
    *.json)
        policy=$work/$(basename "$file")
        printf '{"Resources": {"Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument":\n%s}}}}\n' \
            "$(cat "$file")" >"$policy"
        set -- "$@" "$policy"
        ;;
    *) set -- "$@" "$file" ;;
    esac
done
# HOME, so that nobody's settings switch a check off. What Python compiles is kept: it takes longer than the check.
HOME=$work PYTHONDONTWRITEBYTECODE='' PYTHONPATH=$tool "$python3" "$tool/bin/cfn-lint" --format parseable --include-checks I -- "$@"
