// What was measured of one or two models. The value carries all numbers; only the pictures behind a number are asked for.
let current = null;                                 // the latest result; it stays while the next one is computed
let request = {};                                   // what is shown: models, data, and which pictures
let which = 0;                                      // the model whose matrix and diagram are drawn
let replaces = true;                                // the next address replaces the current step of the history
let spoken = null;
const DEFAULTS = { model: 'resnet20-cifar10', second: '', data: 'bundled', show: 'mistakes', of: 0, row: -1, column: -1 };
const root = () => (window.gradio_config?.root || '').replace(/\/$/, '');

function address() {
  const fields = Object.entries(DEFAULTS).map(([key, standard]) => [key, request[key] === undefined || request[key] === standard ? null : request[key]]);
  pageAddress.put('evaluate', Object.fromEntries(fields), { step: !replaces && pageAddress.shown() === 'evaluate' });
  replaces = false;
}

function ask(changes) {
  request = { ...request, show: 'mistakes', row: -1, column: -1, ...changes };
  address();
  trigger('show', request);
  if (window.innerWidth <= 700) document.querySelector('#pictures')?.scrollIntoView({ block: 'start' });
}

function chooseCell(row, column, r, c) {
  cell = [row, column]; place = [r, c];
  ask({ show: 'cell', of: which, row, column });
  drawModel();
  find(`td[data-r="${r}"][data-c="${c}"]`)?.focus({ preventScroll: true });
}

function choosePair(show) { cell = null; ask({ show, of: 0 }); drawModel(); find(`[data-show=${show}]`)?.focus(); }

function chooseModel(index) { which = index; cell = null; ask({ of: index }); drawModel(); find(`.which [data-index="${index}"]`)?.focus(); }

function radios() {
  const box = find('.which');
  box.hidden = current.models.length < 2;
  box.replaceChildren(...current.models.map((model, index) => {
    const button = make('button', { type: 'button', role: 'radio', 'aria-checked': String(index === which), tabindex: index === which ? 0 : -1, 'data-index': index }, make('span', { class: `badge ${model.kind}`, 'aria-hidden': 'true' }), model.title);
    button.addEventListener('click', () => chooseModel(index));
    button.addEventListener('keydown', (event) => { if (event.key.startsWith('Arrow')) { event.preventDefault(); chooseModel(1 - index); } });
    return button;
  }));
}

function drawModel() {
  const model = current.models[which];
  radios();
  find('.matrix-title').textContent = model.matrix ? `Confusion matrix of ${model.title}` : `The most frequent confusions of ${model.title}`;
  find('.matrix').replaceChildren(model.matrix ? matrixTable(model, chooseCell) : confusionList(model, chooseCell));
  find('.hint').textContent = model.matrix ? 'Rows: the right class. Columns: the answer. A click or Enter on a cell shows its pictures.' : 'A click shows the pictures.';
  reliability(model);
  find('.calibration').textContent = model.calibration;
  classTable(model); paperTable(model); pairBox(current, choosePair);
}

function draw() {
  const value = props.value || {}, loading = value.state === 'loading';
  find('.evaluation').classList.toggle('waiting', loading);
  find('.cancel').hidden = !loading;
  if (value.state === 'result' && value !== current) {
    if (spoken === 'loading' && innerWidth <= 700) find('.sentence').scrollIntoView({ block: 'start' });   // on a phone it is below the button
    current = value;
    request = { ...value.request };
    which = Math.min(request.of, value.models.length - 1);
    cell = request.show === 'cell' ? [request.row, request.column] : null;
    place = cell && value.models[which].matrix ? [Math.max(value.models[which].matrix.rows.findIndex((row) => row.index === cell[0]), 0), Math.max(value.models[which].matrix.columns.findIndex((column) => column.index === cell[1]), 0)] : [0, 0];
    numbersTable(value);
    drawModel();
    address();
    exportLinks();
  }
  find('.result').classList.toggle('none', !current);
  const remains = current && (value.state === 'error' || value.state === 'stopped') ? ` Still shown: ${current.sentence}` : '';
  const sentence = (value.message || value.sentence || 'Choose a network and press Measure.') + remains;
  find('.sentence').textContent = sentence;
  find('.sentence').classList.toggle('error', value.state === 'error');
  if (!loading || spoken !== 'loading') find('.spoken').textContent = sentence;   // not every step of a long wait
  spoken = value.state;
}

function exportLinks() {
  const query = new URLSearchParams({ model: request.model, second: request.second, data: request.data });
  element.querySelectorAll('.exports a').forEach((link) => { link.href = `${root()}/evaluation/${link.dataset.form}?${query}`; link.setAttribute('download', ''); });
}

find('.cancel').addEventListener('click', () => trigger('abandon'));
window.addEventListener('popstate', () => {
  if (pageAddress.shown() !== 'evaluate') return;
  replaces = true;
  trigger('restore', { query: location.search });
});
new ResizeObserver(() => { if (current && element.offsetParent) reliability(current.models[which]); }).observe(element);
watch('value', draw);
draw();
