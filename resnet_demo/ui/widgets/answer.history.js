// Each question that a person asks is a step in the browser's history: the address carries all of it but a picture of
// the person's own, of which the step keeps the name of the upload.
const QUESTION = ['picture', 'model', 'second', 'method', 'signed', 'target', 'target_of', 'contrast'];
const OPACITY = '0.75';
const DEFAULTS = { method: 'grad-cam', target: -1, target_of: 0, contrast: -1, opacity: OPACITY };
let replaces = true;                                // the next answer: of a page just opened, or of a step back

function questionOf(url, state) {
  return JSON.stringify([QUESTION.map((key) => url.searchParams.get(key)), (state && state.upload) || '']);
}

// The address of what is shown. Stage and opacity are no question: they change the step that is there.
function address(answered = false, emptied = false) {
  if (!element.offsetParent) return;
  const here = new URL(location.href), asked = current.asked;
  if (!asked && !emptied) return;
  const shown = emptied ? {} : { ...asked, stage, opacity: find('.opacity').value };
  for (const key of [...QUESTION, 'stage', 'opacity']) {
    const value = shown[key], said = value === 0 || value;   // class 0 is a class
    if (said && value !== DEFAULTS[key]) here.searchParams.set(key, value); else here.searchParams.delete(key);
  }
  here.searchParams.delete('run');
  const state = { ...history.state, upload: (!emptied && current.upload) || '' };
  const another = questionOf(here, state) !== questionOf(new URL(location.href), history.state);
  if (another && !replaces) history.pushState(state, '', here);
  else if (another || here.href !== location.href) history.replaceState(state, '', here);
  if (answered || emptied) replaces = emptied;       // the next picture takes the place of none
}

// What the address says that needs no server.
function fromAddress() {
  const query = new URL(location.href).searchParams;
  stage = query.get('stage');
  method = query.get('method') || DEFAULTS.method;   // its stage is not forgotten when its answer comes
  find('.opacity').value = query.get('opacity') || OPACITY;   // the slider keeps within its range
}

window.addEventListener('popstate', () => {
  const query = new URL(location.href).searchParams, lab = query.has('run') || query.has('settings');
  const tab = [...document.querySelectorAll('#tabs button[role=tab]')].find((button) => button.textContent.trim() === (lab ? 'Lab' : 'Classify'));
  if (tab && tab.getAttribute('aria-selected') !== 'true') tab.click();
  if (lab) return;
  replaces = true;
  fromAddress();
  trigger('restore', { query: location.search });
});
