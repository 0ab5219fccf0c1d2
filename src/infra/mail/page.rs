//! The frame of every letter's HTML: one column, styles in the elements (mail programs drop the rest), no pictures, nothing
//! from elsewhere. Colours have enough contrast on white, and programs that show dark pages are told that they may.

use super::letter::{Block, Letter};
use crate::language::Language;
use maud::{DOCTYPE, Markup, html};

const FONT: &str =
    "font-family:-apple-system,BlinkMacSystemFont,'Apple SD Gothic Neo','Noto Sans KR','Malgun Gothic',sans-serif";
/// Programs that know `prefers-color-scheme` take these, the others keep what stands in the elements.
const STYLE: &str = ":root{color-scheme:light dark}@media(prefers-color-scheme:dark){body,.paper{background:#16161a!important}\
     h1,p,.code{color:#f2f2f5!important}.note{color:#a9a9b3!important}a{color:#9db4ff!important}.code{background:#26262d!important}}";

/// Who writes.
pub fn signature(language: Language) -> &'static str {
    match language {
        Language::Ko => "소극장 · 작은 무대를 위한 예매",
        Language::En => "Spotlight Space · booking for small stages",
    }
}

pub fn html(letter: &Letter) -> String {
    let language = match letter.language {
        Language::Ko => "ko",
        Language::En => "en",
    };
    let page = html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                meta name="color-scheme" content="light dark";
                title { (letter.title) }
                style { (maud::PreEscaped(STYLE)) }
            }
            body style=(format!("margin:0;padding:24px;background:#ffffff;{FONT}")) {
                div class="paper" style="max-width:34rem;margin:0 auto;background:#ffffff" {
                    h1 style="font-size:20px;line-height:1.4;color:#1b1b1f;margin:0 0 20px" { (letter.title) }
                    @for part in &letter.blocks { (block(part)) }
                    p class="note" style="font-size:12px;color:#6b6b76;margin:32px 0 0;border-top:1px solid #d9d9e0;padding-top:12px" {
                        (signature(letter.language))
                    }
                }
            }
        }
    };
    page.into_string()
}

fn block(part: &Block) -> Markup {
    html! {
        @match part {
            Block::Paragraph(text) => p style="font-size:16px;line-height:1.6;color:#1b1b1f;margin:0 0 16px;white-space:pre-line" { (text) },
            Block::Code(code) => p class="code" style="font-size:32px;font-weight:700;letter-spacing:6px;text-align:center;color:#1b1b1f;background:#f1f1f6;border-radius:12px;padding:16px;margin:0 0 16px" { (code) },
            Block::Link { label, url } => p style="font-size:16px;margin:0 0 16px" { a href=(url) style="color:#2f4fd0" { (label) } },
            Block::Note(text) => p class="note" style="font-size:14px;line-height:1.6;color:#6b6b76;margin:0 0 16px;white-space:pre-line" { (text) },
        }
    }
}
