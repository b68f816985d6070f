"""How the page looks: calm, paper-like, system fonts, legible from the last row; nothing comes from another host."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from resnet_demo.colours import BLUE, VERMILLION

HUE = gr.themes.Color(
    c50="#eef6fb", c100="#d6e9f5", c200="#add3ea", c300="#7bb8dc", c400="#3f97c9", c500=BLUE,
    c600="#00639b", c700="#005384", c800="#00436a", c900="#003453", c950="#00243a",
)  # fmt: skip
FONTS = ("ui-sans-serif", "system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")

THEME = gr.themes.Base(
    primary_hue=HUE,
    secondary_hue=HUE,
    neutral_hue=gr.themes.colors.stone,
    text_size=gr.themes.sizes.text_lg,
    spacing_size=gr.themes.sizes.spacing_md,
    radius_size=gr.themes.sizes.radius_sm,
    font=FONTS,
    font_mono=("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"),
).set(
    body_background_fill="#fbfaf7",
    body_background_fill_dark="#171614",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_400",
    block_background_fill="#ffffff",
    block_background_fill_dark="#201f1c",
    block_border_width="1px",
    block_shadow="none",
    button_primary_background_fill="*primary_500",
    button_primary_background_fill_hover="*primary_600",
    button_primary_background_fill_dark="*primary_500",
    button_primary_background_fill_hover_dark="*primary_400",
    button_primary_text_color="#ffffff",
    block_label_text_size="*text_sm",
    block_title_text_size="*text_md",
    block_info_text_size="*text_sm",
)

PALETTE = f".gradio-container {{ --residual: {BLUE}; --plain: {VERMILLION}; }}"
"""The colours of the two kinds of network, for every style and script of the page."""

_RULES = """
.gradio-container { max-width: 1240px !important; margin: 0 auto; padding: 0 clamp(4px, 100vw - 700px, 12px) 16px !important; }
.gradio-container > .main { padding: clamp(4px, 100vw - 700px, 10px) clamp(4px, 100vw - 700px, 16px) !important; }
.gradio-container .wrap, .gradio-container .contain { gap: 6px; }
.page-head { display: flex; flex-wrap: wrap; gap: 0 16px; align-items: baseline; }
.page-head h1 { margin: 0; font-size: 1.35em; letter-spacing: -.01em; }
.page-head > p { margin: 0; color: var(--body-text-color-subdued); }
.page-head .lesson-start { margin-left: auto; color: inherit; }
#lesson { flex-basis: 100%; margin-top: 6px; border-left: 4px solid var(--residual); background: var(--background-fill-primary); }
#lesson section { display: none; padding: 10px 16px; }
#lesson h2 { margin: 0 0 4px; font-size: 1.1em; }
#lesson p { color: var(--body-text-color); max-width: 80ch; }
#lesson summary { cursor: pointer; padding: 6px 0; }
#lesson nav { display: flex; flex-wrap: wrap; gap: 4px 24px; margin-top: 6px; }
#lesson nav a { color: inherit; padding: 8px 0; }
#picture img, #try-picture img { width: 100%; height: 100%; object-fit: contain; }
#picture .source-selection button, #try-picture .source-selection button {
  min-width: 44px; min-height: 36px; display: inline-flex; justify-content: center; align-items: center;
}
#no-camera { display: none; }
#classify.no-camera #no-camera { display: block; padding: 0; font-size: .9em; }
#classify.no-camera #picture .source-selection button[aria-label*="camera" i] { display: none; }
#classify.no-clipboard #picture .source-selection button[aria-label*="clipboard" i] { display: none; }
#classify, #classify > .column { gap: 10px; }
#answer .html-container { padding: 4px 8px !important; }
.page-head { margin-bottom: -8px; }
#classify > .column { align-content: start; }
#picture .source-selection svg, #try-picture .source-selection svg { width: 20px; height: 20px; }
#questions .form { display: grid; grid-template-columns: 6fr 6fr 7fr; align-items: stretch; }
#signed { display: flex; align-items: end; }
#signed label { min-height: 40px; }
#examples .caption-label { display: none; }
input[role=combobox] { text-overflow: ellipsis; padding-right: 28px !important; }
.dark button[role=tab][aria-selected=true] { color: var(--primary_300, #7bb8dc); }
#examples .grid-wrap { padding: 4px; min-height: 0; }
#examples .grid-container {
  grid-template-columns: repeat(4, minmax(0, 1fr)) !important; grid-auto-rows: auto !important; gap: 6px; padding-top: 30px;
}
#examples .thumbnail-item { aspect-ratio: 1; width: 100%; height: auto; }
.tight { gap: 8px !important; }
#stop, #transfer-stop { scroll-margin-top: 6px; }
#runs { max-width: calc(100vw - 48px); overflow-x: auto; }  /* on a phone the table scrolls, not the page */
.tight button { white-space: nowrap; min-width: max-content !important; }
#every-setting .form, .every-setting .form { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); width: 100%; }
#every-setting .form > *, .every-setting .form > * { min-width: 0 !important; }
#every-setting .form > :last-child:nth-child(odd), .every-setting .form > :last-child:nth-child(odd) { grid-column: 1 / -1; }
.said p:empty { display: none; }
.estimate a, #transfer-link a { color: inherit; }
.estimate p { margin: 2px 0; color: var(--body-text-color-subdued); }
.said p { font-size: 1.1em; line-height: 1.5; }
:focus-visible { outline: 3px solid var(--residual) !important; outline-offset: 1px; }
#transfer, #transfer > .column { gap: 10px; align-content: start; }
#transfer-keep { white-space: nowrap; }
#try-it h2 { margin: 8px 0 0; font-size: 1.15em; }
#try-answer .answers { min-height: 0; }
#try-answer .answers:has(> .ghost), #try-answer .tools.nothing, #try-answer .top .own { display: none; }
#keep-transfer { align-items: stretch; }
#try.no-camera .source-selection button[aria-label*="camera" i],
#try.no-clipboard .source-selection button[aria-label*="clipboard" i] { display: none; }
footer img, footer .divider { display: none !important; }  /* Gradio's drawing, and the dot before a link that is not there */
/* ?view=projector: the sentence and the curves of a run, for the last row of a room */
.projector .page-head, .projector #tabs > .tab-wrapper, .projector footer, .projector #lab > .column:first-child,
.projector #lab > .column:last-child > :not(#said, #curves) { display: none !important; }
.projector #curves :is(figure:has(.gradient), figure:has(.response)) { display: none !important; }
.projector #curves :is(.tools label, .prediction .options, .exports, .elsewhere, details)
  { display: none !important; }  /* nothing to press */
.projector .gradio-container { max-width: none !important; }
.projector #said, .projector #curves { zoom: 1.5; }
@media (max-width: 700px) {
  #tabs .tab-wrapper { max-width: calc(100vw - 16px); }
  #tabs .tab-container button { padding: 0 6px; font-size: 15px; }  /* six tabs side by side */
  .settings-first { flex-direction: column !important; }
  .settings-first > .column { width: 100%; }
  .page-head > p { display: none; }
  #classify { flex-direction: column !important; }
  #classify > .column { display: contents; }
  #classify > .column > * { order: 5; }
  #questions .form { grid-template-columns: 1fr 1fr; }
  #signed { grid-column: 1 / -1; }
  #classify #answer { order: 1; }
  #classify #picture { order: 2; }
  #classify #no-camera { order: 3; }
  #classify #examples { order: 3; }
  #classify #questions { order: 4; }
}
"""

CSS = PALETTE + _RULES + (Path(__file__).parent / "widgets" / "paper.css").read_text(encoding="utf-8")
