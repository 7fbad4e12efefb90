//! Plots as SVG: bars with labels, and a line over time. No library: they are a few rectangles and texts.

use std::fmt::Write as _;

const WIDTH: u32 = 760;
const LABELS: u32 = 190;
const ROW: u32 = 22;
const TOP: u32 = 40;

/// One bar: its length, from where to where measurements went, and its colour's number.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: f64,
    pub(crate) range: Option<(f64, f64)>,
    pub(crate) ours: bool,
}

/// Horizontal bars from zero on, in one unit.
pub(crate) fn bars(title: &str, unit: &str, bars: &[Bar]) -> String {
    let rows = u32::try_from(bars.len()).unwrap_or(0);
    let most = bars
        .iter()
        .map(|bar| bar.range.map_or(bar.value, |(_, most)| most.max(bar.value)))
        .fold(f64::MIN_POSITIVE, f64::max);
    let room = f64::from(WIDTH - LABELS - 110);
    let x = |value: f64| f64::from(LABELS) + value / most * room;
    let mut svg = begin(title, TOP + rows * ROW + 12);
    for (bar, row) in bars.iter().zip(0..) {
        let top = TOP + row * ROW;
        let middle = f64::from(top) + f64::from(ROW) / 2.0;
        let colour = if bar.ours { "#2f6f4f" } else { "#9a9a9a" };
        let (label, value, end) = (escape(&bar.label), bar.value, x(bar.value));
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n\
             <rect x=\"{LABELS}\" y=\"{}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\"/>",
            LABELS - 8,
            middle + 4.0,
            top + 3,
            (end - f64::from(LABELS)).max(1.0),
            ROW - 6,
        );
        let mut after = end;
        if let Some((least, most)) = bar.range {
            let _ = writeln!(
                svg,
                "<line x1=\"{:.1}\" y1=\"{middle:.1}\" x2=\"{:.1}\" y2=\"{middle:.1}\" stroke=\"#222\"/>",
                x(least),
                x(most),
            );
            after = after.max(x(most));
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\">{value:.1} {unit}</text>",
            after + 6.0,
            middle + 4.0,
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Lines over the seconds of an hour, each the most of ten seconds.
pub(crate) fn hour(title: &str, lines: &[(&str, &[u32], bool)], limit: f64) -> String {
    const HEIGHT: u32 = 260;
    const LEFT: f64 = 60.0;
    let bottom = f64::from(HEIGHT - 30);
    let plot = bottom - f64::from(TOP);
    let seconds = lines
        .iter()
        .map(|(_, calls, _)| calls.len())
        .max()
        .unwrap_or(1);
    let most = lines.iter().flat_map(|(_, calls, _)| calls.iter());
    let most = f64::from(most.copied().max().unwrap_or(1)).max(limit);
    let y = |calls: f64| bottom - calls / most * plot;
    let wide = f64::from(WIDTH) - LEFT - 20.0;
    let mut svg = begin(title, HEIGHT);
    let _ = writeln!(
        svg,
        "<line x1=\"{LEFT}\" y1=\"{0:.1}\" x2=\"{1:.1}\" y2=\"{0:.1}\" stroke=\"#b03030\" stroke-dasharray=\"4 3\"/>\n\
         <text x=\"{2:.1}\" y=\"{3:.1}\" text-anchor=\"end\">{limit}</text>\n\
         <text x=\"{2:.1}\" y=\"{bottom:.1}\" text-anchor=\"end\">0</text>\n\
         <text x=\"{1:.1}\" y=\"{4:.1}\" text-anchor=\"end\">one hour</text>",
        y(limit),
        LEFT + wide,
        LEFT - 6.0,
        y(limit) + 4.0,
        bottom + 18.0,
    );
    for (row, (name, calls, ours)) in lines.iter().enumerate() {
        let colour = if *ours { "#2f6f4f" } else { "#9a9a9a" };
        let steps = u32::try_from(seconds.div_ceil(10)).unwrap_or(1);
        let points = calls.chunks(10).zip(0_u32..).map(|(chunk, step)| {
            let calls = f64::from(chunk.iter().copied().max().unwrap_or(0));
            let x = LEFT + f64::from(step) / f64::from(steps) * wide;
            format!("{x:.1},{:.1}", y(calls))
        });
        let points: Vec<_> = points.collect();
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" points=\"{}\"/>\n\
             <text x=\"{:.1}\" y=\"{}\" fill=\"{colour}\">{}</text>",
            points.join(" "),
            LEFT + wide / 2.0,
            TOP + 16 + 16 * u32::try_from(row).unwrap_or(0),
            escape(name),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn begin(title: &str, height: u32) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"14\" font-weight=\"bold\">{}</text>\n",
        escape(title)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_no_text_breaks_the_file() {
        let bar = |label: &str, value, ours| Bar {
            label: label.to_owned(),
            value,
            range: Some((value / 2.0, value)),
            ours,
        };
        let svg = bars(
            "a < b & c",
            "ms",
            &[bar("<one>", 10.0, true), bar("two", 5.0, false)],
        );
        assert!(
            svg.contains("a &lt; b &amp; c") && svg.contains("&lt;one&gt;"),
            "{svg}"
        );
        assert!(
            svg.contains("width=\"460.0\"") && svg.contains("width=\"230.0\""),
            "{svg}"
        );
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }
}
