"""Every kind of picture, good and bad, through the endpoint and through the page."""

from __future__ import annotations

import base64
import io
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from resnet_demo.data.image import FORMATS, decode
from resnet_demo.inference.classify import classify
from resnet_demo.zoo import folder
from resnet_demo.zoo.catalogue import SHIPPED
from resnet_demo.zoo.folder import Weights
from tests.pictures import PICTURES, REFUSED, encode, quarters, turned
from tests.ui.classify_page import SENTENCE, clear, upload, wait_for_answer
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser
GOOD: dict[str, Callable[[], bytes]] = {
    **{kind: make for kind, (make, _, _) in PICTURES.items()},
    **{f"EXIF orientation {turn}": lambda turn=turn: turned(turn, "JPEG") for turn in range(1, 9)},  # type: ignore[misc]
}
if "HEIF" in FORMATS:
    GOOD["HEIC"] = lambda: encode(quarters(side=32), "HEIF", quality=95)
BAD = {kind: (make, words) for kind, (make, words) in REFUSED.items() if kind != "21 MB"}  # that one: see below


@pytest.fixture(scope="module")
def client(app: App) -> Client:
    return Client(app.url, verbose=False)


@pytest.fixture(scope="module")
def weights() -> Weights:
    return folder.load(SHIPPED / "resnet20-cifar10")


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def pixels_of(url: str) -> bytes:
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB").tobytes()


def assert_same_answer(told: dict[str, object], weights: Weights, content: bytes) -> None:
    """The endpoint's report says what the network says of the picture when it is asked directly."""
    wanted = classify(weights, decode(content))
    (answer,) = told["answers"]  # type: ignore[misc]
    assert pixels_of(answer["seen"]) == wanted.square.tobytes()
    for found, prediction in zip(answer["predictions"], wanted.top(5), strict=True):
        assert (found["label"], found["index"]) == (prediction.label, prediction.index)
        assert found["probability"] == pytest.approx(prediction.probability, abs=1e-4)


@pytest.mark.parametrize("kind", GOOD)
def test_every_kind_of_picture_is_answered_as_without_the_endpoint(
    client: Client, weights: Weights, tmp_path: Path, kind: str
) -> None:
    content = GOOD[kind]()
    path = written(tmp_path / "holiday.gif", content)  # a name that lies about most of them
    _, told = client.predict(handle_file(str(path)), api_name="/classify")
    assert_same_answer(told, weights, content)


@pytest.mark.parametrize("kind", BAD)
def test_every_other_file_is_refused_in_one_sentence_and_the_endpoint_goes_on(
    client: Client, weights: Weights, tmp_path: Path, kind: str
) -> None:
    make, words = BAD[kind]
    with pytest.raises(AppError) as raised:
        client.predict(handle_file(str(written(tmp_path / "holiday.png", make()))), api_name="/classify")
    said = str(raised.value)
    assert words in said and "\n" not in said and said.endswith(".")
    good = GOOD["PNG"]()
    _, told = client.predict(handle_file(str(written(tmp_path / "good.png", good))), api_name="/classify")
    assert_same_answer(told, weights, good)


def asked_by_url(app: App, url: str) -> str:
    """What /classify answers, as its event stream says it, to a picture in a data: URL."""
    body = json.dumps(
        {"data": [{"url": url, "meta": {"_type": "gradio.FileData"}}, "resnet20-cifar10", "", "", -1, -1, "grad-cam", 5]}
    ).encode()
    request = urllib.request.Request(f"{app.url}gradio_api/call/classify", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{app.url}gradio_api/call/classify/{event}") as stream:
        return str(stream.read().decode())


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "text/plain"])
def test_a_data_url_is_answered_whatever_it_says_of_itself(app: App, weights: Weights, media_type: str) -> None:
    content = GOOD["RGBA PNG"]()
    said = asked_by_url(app, f"data:{media_type};base64,{base64.b64encode(content).decode()}")
    assert said.startswith("event: complete")
    assert_same_answer(json.loads(said.split("data: ", 1)[1])[1], weights, content)


def test_a_data_url_that_holds_no_picture_is_refused_in_a_sentence(app: App) -> None:
    said = asked_by_url(app, f"data:image/png;base64,{base64.b64encode(b'Dear Sir or Madam').decode()}")
    assert said.startswith("event: error") and "not a picture" in said


def shown(weights: Weights, content: bytes) -> str:
    """The picture as the network sees it, in the URL that the page shows it by."""
    encoded = io.BytesIO()
    weights.preprocessing.crop(decode(content)).save(encoded, "PNG")
    return f"data:image/png;base64,{base64.b64encode(encoded.getvalue()).decode()}"


ON_THE_PAGE = [
    "JPEG", "CMYK JPEG", "16-bit RGB PNG", "palette PNG with transparency", "RGBA WEBP", "animated GIF", "BMP", "one pixel",
    "EXIF orientation 6", *(["HEIC"] if "HEIC" in GOOD else []),
]  # fmt: skip


def test_the_page_takes_every_format_phones_heic_too(
    app: App, visit: Callable[..., Watched], weights: Weights, tmp_path: Path
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    assert ".heic" in (seen.page.locator("#picture input[type=file]").first.get_attribute("accept") or "")
    for number, kind in enumerate(ON_THE_PAGE):
        content = GOOD[kind]()
        clear(seen)
        upload(seen, written(tmp_path / f"{number}.{'heic' if kind == 'HEIC' else 'png'}", content))
        seen.page.wait_for_function(
            "src => document.querySelector('#answer .seen img')?.src === src", arg=shown(weights, content)
        )


def test_the_page_tells_what_is_wrong_with_a_file_and_shows_no_answer_of_another(
    app: App, visit: Callable[..., Watched], tmp_path: Path
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    for number, kind in enumerate(("a JPEG cut short", "text", "13000 × 13000 pixels", "21 MB")):
        make, words = REFUSED[kind]
        clear(seen)
        upload(seen, written(tmp_path / f"{number}.png", make()))
        seen.page.locator("#answer .sentence.error", has_text=words).wait_for()  # not the sentence about the file before
        assert seen.page.locator("#answer ol button").count() == 0
    seen.page.locator("#examples button").nth(3).click()
    wait_for_answer(seen)
    assert "takes this for" in seen.page.locator(SENTENCE).inner_text()


TRANSFER = """([target, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)), data = new DataTransfer();
  data.items.add(new File([bytes], 'mine.png', {type: 'image/png'}));
  const given = type === 'paste' ? {clipboardData: data} : {dataTransfer: data};
  const event = type === 'paste' ? new ClipboardEvent(type, {...given, bubbles: true}) : new DragEvent(type, {...given, bubbles: true});
  document.querySelector(target).dispatchEvent(event);
}"""


def test_a_file_is_dropped_onto_the_picture(app: App, visit: Callable[..., Watched], weights: Weights) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    content = GOOD["PNG"]()
    seen.page.evaluate(TRANSFER, ["#picture button[aria-dropeffect]", "drop", base64.b64encode(content).decode()])
    seen.page.wait_for_function("src => document.querySelector('#answer .seen img')?.src === src", arg=shown(weights, content))


def test_a_picture_is_pasted(app: App, visit: Callable[..., Watched], weights: Weights) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    content = GOOD["PNG"]()
    seen.page.evaluate(TRANSFER, ["body", "paste", base64.b64encode(content).decode()])
    seen.page.wait_for_function("src => document.querySelector('#answer .seen img')?.src === src", arg=shown(weights, content))


def test_the_preview_of_a_heic_is_what_was_decoded_and_the_network_is_asked_once(
    app: App, visit: Callable[..., Watched], tmp_path: Path
) -> None:
    if "HEIC" not in GOOD:
        pytest.skip("pillow-heif is not installed")
    seen = visit(app.url)
    wait_for_answer(seen)
    answered = count_answers(seen)
    upload(seen, written(tmp_path / "phone.heic", encode(quarters(side=40).resize((120, 80)), "HEIF", quality=95)))
    seen.page.wait_for_function("document.querySelector('#picture img')?.src.startsWith('data:image/jpeg')")
    shape = "(({naturalWidth, naturalHeight}) => [naturalWidth, naturalHeight])(document.querySelector('#picture img'))"
    assert seen.page.evaluate(shape) == [120, 80]
    wait_for_answer(seen)
    assert seen.page.evaluate(answered) == 1
    seen.page.locator("#examples button").nth(3).click()  # the preview of the next picture is its own
    seen.page.wait_for_function("document.querySelector('#picture img')?.src.endsWith('cifar10-frog.png')")


def count_answers(watched: Watched) -> str:
    """Count the verdicts that are drawn from now on; gives the expression that tells how many."""
    watched.page.evaluate(
        "window.drawn = 0; new MutationObserver((changes) => { drawn += changes.length; })"
        ".observe(document.querySelector('#answer .answers'), {childList: true})"
    )
    return "drawn"


def test_a_phone_s_photograph_of_54_megapixels_is_answered(client: Client, tmp_path: Path) -> None:
    large = encode(quarters().resize((9000, 6000), Image.Resampling.NEAREST), "JPEG", quality=60)
    label, _ = client.predict(handle_file(str(written(tmp_path / "phone.jpg", large))), api_name="/classify")
    assert label["confidences"]
