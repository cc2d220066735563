#!/bin/sh
# Pictures of HTML pages as a reader sees them: tests/screenshots.sh OUT PAGE.html…
#
# Each page at 1280 and 390 pixels, light and dark: OUT/PAGE-1280-light.png … Needs Debian's chromium.
# With a store instead of pages, tests/screenshots.sh OUT STORE…, every notebook that comes with Nines is rendered on it first
# (by $NINES, else target/release/nines).
set -eu
out=$1
shift
here=$(dirname "$0")/..
nines=${NINES:-$here/target/release/nines}
mkdir -p "$out"

shoot() {
    name=$(basename "$1" .html)
    # The browser makes no window narrower than 500 pixels, so the page stands in a frame of its width.
    for width in 1280 390; do
        for theme in light dark; do
            frame="$out/$name-$width-$theme.html"
            printf '<!DOCTYPE html><meta name="color-scheme" content="%s"><style>html,body{margin:0;background:%s}iframe{border:0;width:%spx;height:%spx;color-scheme:%s}</style><iframe src="file://%s"></iframe>' \
                "$theme" "$([ $theme = dark ] && echo '#14171b' || echo '#fff')" $width "${HEIGHT:-6000}" "$theme" "$(realpath "$1")" >"$frame"
            blink=$([ $theme = dark ] && echo 0 || echo 1)
            chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files \
                --blink-settings=preferredColorScheme=$blink --virtual-time-budget=2000 \
                --window-size=$width,"${HEIGHT:-6000}" --screenshot="$out/$name-$width-$theme.png" "file://$(realpath "$frame")" \
                >/dev/null 2>&1
            rm "$frame"
        done
    done
}

for given in "$@"; do
    if [ -d "$given" ]; then
        for notebook in company business feature weekly review incident; do
            page="$out/$(basename "$given")-$notebook.html"
            "$nines" --store "$given" run "$notebook" -o "$page"
            shoot "$page"
        done
    else
        shoot "$given"
    fi
done
