//! The map as a page: one file that loads nothing and runs no script.

use std::fmt::Write;

use super::{CAPACITY, Cell, Fate, LOOKS_AT, PATIENCE, SETTLES, STEPS, Sheet, Side, WARM, WORK};

/// What a cell takes on the page, in its own units.
const SIZE: u32 = 12;
const STYLE: &str = "<style>\
    :root{color-scheme:light dark;--page:#fcfcfb;--ink:#1b1f24;--muted:#565e68;\
    --up:#009e73;--recovers:#e69f00;--defers:#56b4e9;--down:#b3370b;--never:#8a929c}\
    @media screen and (prefers-color-scheme:dark){:root{--page:#14171a;--ink:#e7eaed;--muted:#a8b0b9;\
    --up:#22b68c;--recovers:#f0b429;--defers:#3d8fc4;--down:#e8590c;--never:#6c757f}}\
    body{margin:0 auto;padding:2.5rem 1.25rem 4rem;max-width:62rem;background:var(--page);color:var(--ink);\
    font:1rem/1.55 system-ui,sans-serif;font-variant-numeric:tabular-nums}\
    h1{font-size:1.9rem;line-height:1.2;margin:0}p{max-width:46rem}\
    .sheets{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1.75rem 1.5rem}\
    figure{margin:0;break-inside:avoid}figcaption{font-weight:650}figcaption span{font-weight:400;color:var(--muted)}\
    svg{display:block;width:100%;height:auto}svg text{font-size:11px;fill:var(--muted)}\
    .up{fill:var(--up)}.recovers{fill:var(--recovers)}.defers{fill:var(--defers)}.down{fill:var(--down)}.never{fill:var(--never)}\
    .mark{fill:var(--page);font-size:9px}\
    .legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;padding:0}\
    .legend svg{display:inline-block;width:12px;height:12px;margin-right:.4rem}\
    table{border-collapse:collapse}th,td{text-align:right;padding:.3rem .9rem .3rem 0;font-weight:400}th:first-child{text-align:left}\
    </style>";

pub(crate) fn html(sheets: &[Sheet]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>When it falls over, and does it get up?</title>{STYLE}</head><body>\
         <h1>When it falls over, and does it get up?</h1>{}{}<div class=\"sheets\">",
        intro(),
        legend()
    );
    for sheet in sheets {
        figure(&mut page, sheet);
    }
    let _ = write!(page, "</div>{}</body></html>", table(sheets));
    page
}

fn intro() -> String {
    let rate = f64::from(CAPACITY) / WORK.as_secs_f64();
    format!(
        "<p>Each square is a world played in virtual time by <code>make map</code>. Its worker does {CAPACITY} works of {} s at \
         once, {rate} a second. After {} s the worker stands still, its port open, for as long as the square is far to the right; \
         then it goes on with all that has come. Does the service get up?</p>\
         <p>Clients wait {} s for an answer. Those of the first sheet ask once, all others three times again, at once, under their \
         key. The worker does also what nobody waits for any more, as the real one does: that is what keeps a service down. A \
         square shows whether nine of ten clients get an answer while the trigger lasts, and whether nine of ten get a result \
         again in the last {} of the {} s after it; where they are answered, but still with promises (202), the side still defers.</p>",
        WORK.as_secs(),
        WARM.as_secs(),
        PATIENCE.as_secs(),
        LOOKS_AT.as_secs(),
        SETTLES.as_secs()
    )
}

fn legend() -> String {
    let item = |fate: Fate| {
        format!(
            "<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\">{}</svg>{}</li>",
            square(fate, 0, 0),
            fate.name()
        )
    };
    format!("<ul class=\"legend\">{}</ul>", Fate::ALL.map(item).concat())
}

/// Colour and mark say the same.
fn square(fate: Fate, x: u32, y: u32) -> String {
    let (class, mark) = match fate {
        Fate::Up => ("up", ""),
        Fate::Recovers => ("recovers", "+"),
        Fate::StillDefers => ("defers", "2"),
        Fate::StaysDown => ("down", "×"),
        Fate::NeverUp => ("never", "?"),
    };
    let side = SIZE - 1;
    let mut square =
        format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{side}\" height=\"{side}\"/>");
    if !mark.is_empty() {
        let (x, y) = (x + 3, y + 9);
        let _ = write!(
            square,
            "<text class=\"mark\" x=\"{x}\" y=\"{y}\">{mark}</text>"
        );
    }
    square
}

fn figure(page: &mut String, sheet: &Sheet) {
    let (left, edge) = (34, STEPS * SIZE);
    let down = sheet.count(Fate::StaysDown);
    let label = format!(
        "{}: {down} of {} cells stay down",
        sheet.side.name,
        Cell::COUNT
    );
    let _ = write!(
        page,
        "<figure><figcaption>{} <span>stays down in {down}</span></figcaption>\
         <svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{label}\">",
        sheet.side.name,
        left + edge,
        edge + 30
    );
    for cell in Cell::all() {
        let x = left + (cell.pause - 1) * SIZE;
        let y = edge - cell.load * edge / 100;
        let _ = write!(
            page,
            "<g><title>load {} %, still for {} s: {}</title>{}</g>",
            cell.load,
            cell.pause,
            sheet.fate(cell).name(),
            square(sheet.fate(cell), x, y)
        );
    }
    let (right, below, under) = (left + edge, edge + 13, edge + 27);
    let _ = write!(
        page,
        "<text x=\"0\" y=\"10\">100 %</text><text x=\"0\" y=\"{edge}\">{} %</text>\
         <text x=\"{left}\" y=\"{below}\">1 s</text><text x=\"{right}\" y=\"{below}\" text-anchor=\"end\">{STEPS} s</text>\
         <text x=\"{left}\" y=\"{under}\">the worker stands still; upwards: load</text></svg></figure>",
        100 / STEPS
    );
}

fn table(sheets: &[Sheet]) -> String {
    let names = Fate::ALL.map(|fate| format!("<th scope=\"col\">{}</th>", fate.name()));
    let mut table = format!(
        "<h2>In figures</h2><table><thead><tr><th scope=\"col\">cells</th>{}<th scope=\"col\">calls</th></tr></thead><tbody>",
        names.concat()
    );
    for sheet in sheets {
        let counts = Fate::ALL.map(|fate| format!("<td>{}</td>", sheet.count(fate)));
        let _ = write!(
            table,
            "<tr><th scope=\"row\">{}</th>{}<td>{}</td></tr>",
            sheet.side.name,
            counts.concat(),
            sheet.calls
        );
    }
    let clients = Side::RESILIENT.tries - 1;
    let _ = write!(
        table,
        "</tbody></table><p>Clients ask {clients} times again, but for the naive side's in the first line.</p>"
    );
    table
}
