// What Gradio's own components beside the answer lack.
const tab = element.closest('#classify');
const PICTURE = tab ? '#picture' : '#try-picture';   // the component beside this answer
const beside = tab || element.closest('#try');
beside?.classList.toggle('no-camera', !(window.isSecureContext && navigator.mediaDevices));
beside?.classList.toggle('no-clipboard', !(window.isSecureContext && navigator.clipboard && navigator.clipboard.read));

function around(value) {
  // A phone's photographs: a browser offers HEIC files only where they are named.
  document.querySelectorAll(`${PICTURE} input[type=file]`).forEach((input) => { input.accept = 'image/*,.heic,.heif'; });
  document.querySelectorAll(`${PICTURE} img`).forEach((image) => {
    image.alt = 'Your picture.';
    if (value.preview) whereBroken(image, value.preview);
  });
}

// A browser that cannot show a file itself shows what the server made of it.
function whereBroken(image, preview) {
  const show = () => { if (image.naturalWidth === 0) image.src = preview; };
  if (image.complete) show(); else image.addEventListener('error', show, { once: true });
}

// The gallery numbers its pictures; people who hear the page need their names.
function nameExamples() {
  document.querySelectorAll('#examples .thumbnail-item').forEach((button) => {
    const name = `Example: ${button.querySelector('img')?.alt || ''}`;
    if (button.getAttribute('aria-label') !== name) button.setAttribute('aria-label', name);
  });
}
if (tab) new MutationObserver(nameExamples).observe(tab, { subtree: true, childList: true, attributeFilter: ['aria-label', 'alt'] });
nameExamples();

// A list lets the focus go when something is chosen by the keyboard: it gets it back, closed.
document.addEventListener('keydown', (event) => {
  const list = event.target;
  if (event.key !== 'Enter' || !list.matches?.('input[role=combobox]')) return;
  list.addEventListener('blur', () => setTimeout(() => {
    if (document.activeElement !== document.body) return;
    list.focus({ preventScroll: true });
    list.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  }), { once: true });
}, true);
