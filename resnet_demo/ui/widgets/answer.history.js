// Each request of a person is a step in the browser's history. The address carries all of it except a picture of the
// person's own: for that, the step keeps the name of the upload.
const QUESTION = ['picture', 'model', 'second', 'method', 'signed', 'target', 'target_of', 'contrast'];
const OPACITY = '0.75';
const DEFAULTS = { method: 'grad-cam', target: -1, target_of: 0, contrast: -1, opacity: OPACITY };
const REST = 200;                                   // milliseconds without another step, after which the last one is asked about
let replaces = true;                                // the next answer: of a page just opened, or of a step back
let stepping = null;                                // the timer of steps that follow each other

function questionOf(url, state) {
  return JSON.stringify([QUESTION.map((key) => url.searchParams.get(key)), (state && state.upload) || '']);
}

// Puts what the page shows into the address. Stage and opacity are not part of the request: they change the current step.
function address(hasAnswer = false, isEmpty = false) {
  if (!tab || stepping || pageAddress.shown() !== 'classify') return;   // an answer from before the steps is not theirs
  const here = new URL(location.href), request = current.asked;
  if (!request && !isEmpty) return;
  const fields = isEmpty ? {} : { ...request, stage, opacity: find('.opacity').value };
  for (const key of [...QUESTION, 'stage', 'opacity']) {
    const value = fields[key], present = value === 0 || value;   // class 0 is a class
    if (present && value !== DEFAULTS[key]) here.searchParams.set(key, value); else here.searchParams.delete(key);
  }
  const state = { ...history.state, upload: (!isEmpty && current.upload) || '' };
  const another = questionOf(here, state) !== questionOf(new URL(location.href), history.state);
  if (another && !replaces) history.pushState(state, '', here);
  else if (another || here.href !== location.href) history.replaceState(state, '', here);
  if (hasAnswer || isEmpty) replaces = isEmpty;       // the next picture takes the place of none
}

// Reads from the address what needs no server.
function fromAddress() {
  const query = new URL(location.href).searchParams;
  stage = query.get('stage');
  method = query.get('method') || DEFAULTS.method;   // its stage is not forgotten when its answer comes
  find('.opacity').value = query.get('opacity') || OPACITY;   // the slider keeps within its range
}

if (tab) window.addEventListener('popstate', () => {
  if (pageAddress.shown() !== 'classify') return;
  replaces = true;
  fromAddress();
  clearTimeout(stepping);                             // each step asked about would be answered in any order
  stepping = setTimeout(() => {
    stepping = null;
    if (pageAddress.shown() === 'classify') trigger('restore', { query: location.search });
  }, REST);
});
