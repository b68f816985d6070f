// Draws a run live from its record. The address /runs/<run>?position=… gives what happened since a
// position; nothing else is asked of the server, and nothing is drawn while nothing has changed. The figures
// themselves are in curves.figures.js.
const runs = new Map();          // run id -> its state and its points
let current = null, hovered = null, failures = 0, generation = 0, announced = null, pinned = '';

const blank = (id) => ({ id, offset: 0, state: null, started: null, fetching: null, features: null, phases: [], progress: null, arms: new Map() });
const kindOf = (arm) => (arm.startsWith('plain') ? 'plain' : arm === 'scratch' || arm === 'linear-probe' ? arm : 'residual');
const isTransfer = () => (props.value || {}).tab === 'transfer';
const isProjector = () => document.documentElement.classList.contains('projector');
const groupOf = (arm) => arm.replace(/-s\d+$/, '').replace(/^(plain|residual)(\d)/, '$1-$2');   // as the paper says it

function armOf(run, name) {
  if (!run.arms.has(name)) run.arms.set(name, { name, training: [], measured: [], diagnosed: null, diverged: null });
  return run.arms.get(name);
}

// One event of the record; the names are those of training/events.py.
function take(run, event) {
  if (event.kind === 'started') {
    for (const arm of run.arms.values()) {       // computed again from this step on, identically
      arm.training = arm.training.filter((p) => p.step <= event.step);
      arm.measured = arm.measured.filter((p) => p.step <= event.step);
      if (arm.diverged > event.step) arm.diverged = null;
    }
    for (const name of Object.keys(event.parameters)) armOf(run, name);
    run.phases = run.phases.filter((phase) => phase.step < event.step);
    run.started = event;
    run.fetching = null;
  } else if (event.kind === 'fetching') run.fetching = event;
  else if (event.kind === 'features') run.features = event;
  else if (event.kind === 'phase') { run.phases = run.phases.filter((phase) => phase.step < event.step); run.phases.push(event); }
  else if (event.kind === 'progress') run.progress = event;
  else if (event.kind === 'training') armOf(run, event.arm).training.push(event);
  else if (event.kind === 'measured') armOf(run, event.arm).measured.push(event);
  else if (event.kind === 'diagnosed') armOf(run, event.arm).diagnosed = event;
  else if (event.kind === 'diverged') armOf(run, event.arm).diverged = event.step;
}

async function poll(id, mine) {
  const run = runs.get(id);
  let wait = 400;
  try {
    const update = await (await fetch(`${root()}/runs/${id}?position=${run.offset}`)).json();
    if (mine !== generation) return;
    run.error = update.error;
    if (run.error) { draw(); if (id === current) look(mine); return; }
    update.events.forEach((event) => take(run, event));
    const shown = update.shown || {}, isPinAnother = (shown.pinned || '') !== pinned;
    const changed = isPinAnother || failures > 0 || run.others !== update.others || JSON.stringify(run.tally) !== JSON.stringify(update.tally) || update.events.length > 0 || JSON.stringify(update.state) !== JSON.stringify(run.state);
    const before = run.state && run.state.status, reason = run.state && run.state.reason;
    failures = 0;
    run.offset = update.offset; run.state = update.state;
    if (update.readings) run.readings = update.readings;
    run.others = update.others; run.tally = update.tally;
    if (id === current && follow(shown)) return;
    if (changed) draw();
    const status = update.state.status;
    if (id === current && (status !== before || update.state.reason !== reason || isPinAnother)) trigger('status', { run: id, status });
    if (['finished', 'recorded', 'failed', 'stopped', 'paused', 'interrupted'].includes(status)) {
      if (update.events.length === 0 && before === status) wait = id === current ? 3000 : 0;
    } else if (status === 'waiting') wait = 1000;
  } catch (error) {
    failures += 1;
    wait = Math.min(400 * 2 ** failures, 5000);
    if (mine === generation && failures > 2) say('No answer from the server.', 'Trying again; the run itself is not affected.');
  }
  if (wait && mine === generation) setTimeout(() => poll(id, mine), wait);
}

// A page on which nobody chose a run goes on to the one that the teacher shows to everyone; the projector view without
// one, to each run as it begins to train. Gives whether another run is shown now.
function follow(shown) {
  pinned = shown.pinned || '';
  const isNothingShown = !current || runs.get(current).error;
  const next = (props.value || {}).follows && (pinned || (isNothingShown || isProjector() ? shown.latest : ''));
  if (!next || next === current) return false;
  props.value = { ...props.value, run: next };
  show(props.value);
  return true;
}

// While nothing is shown: is there a run by now?
async function look(mine) {
  if (mine !== generation || !(props.value || {}).follows) return;
  try { if (follow(await (await fetch(`${root()}/runs`)).json())) return; } catch { /* asked again below */ }
  setTimeout(() => look(mine), 2000);
}

function root() { return ((window.gradio_config && window.gradio_config.root) || location.href.split(/[?#]/)[0]).replace(/\/$/, ''); }

function links(id) {
  find('.exports').hidden = !id;
  element.querySelectorAll('a.export').forEach((link) => { link.href = `${root()}/export/${id}/${link.dataset.form}`; link.setAttribute('download', ''); });
  if (!id) return;
  pageAddress.put(isTransfer() ? 'transfer' : 'lab', { run: props.value.follows ? null : id });   // a link to this page shows what it shows
}

function say(what, detail, more = '', news = what) {
  find('.what').textContent = what;
  find('.detail').textContent = detail;
  find('.gone').textContent = more;
  if (news !== announced) find('.spoken').textContent = [what, detail, more].join(' ');   // for screen readers: only what is new
  announced = news;
}

function show(value) {
  const selection = value || {};
  generation += 1;
  current = selection.run || null;
  const ids = [...new Set([current, ...(selection.overlays || [])].filter(Boolean))];
  for (const id of [...runs.keys()]) if (!ids.includes(id)) runs.delete(id);
  for (const id of ids) if (!runs.has(id)) runs.set(id, blank(id));
  links(current);
  draw();
  ids.forEach((id) => poll(id, generation));
  if (!current) look(generation);
}

const WORDS = {
  waiting: 'Waiting.', running: 'Training.', paused: 'Paused.', stopped: 'Stopped.',
  finished: 'Finished.', recorded: 'Recorded.', failed: 'Failed.', interrupted: 'Interrupted.',
};
function status() {
  const run = runs.get(current);
  find('.curves').classList.toggle('empty', !run);
  find('.curves').classList.toggle('transfer', isTransfer());
  if (!run) { say('No run yet.', isTransfer() ? 'Give each class a few pictures, or take the examples, and press Train.' : isProjector() ? 'It is shown here as soon as one starts.' : 'Choose a comparison and press Start.'); find('.bar').hidden = true; find('.numbers').textContent = ''; return; }
  if (run.error) { say('This run cannot be shown.', run.error); return; }
  if (!run.state) { say('Loading the run…', ''); return; }
  const { state, started, progress } = run;
  const last = Math.max(0, ...[...run.arms.values()].map((arm) => (arm.training.length ? arm.training[arm.training.length - 1].step : 0)));
  const step = Math.max(last, progress ? progress.step : 0);
  let detail = state.reason || '';
  if (state.status === 'waiting') {
    const wait = state.wait_seconds ? `, about ${duration(state.wait_seconds)} to wait` : '';
    detail = state.place === 1 && state.wait_seconds === 0 ? 'It begins as soon as the trainer is ready.' : `${state.place === 1 ? 'Next' : `Place ${state.place}`} in the queue${wait}.`;
  }
  if (started && state.status === 'running') detail = `Step ${step} of ${started.steps}${progress && step < started.steps ? `, about ${duration(progress.seconds_left)} left` : ''}.`;
  if (started && ['stopped', 'paused', 'interrupted'].includes(state.status)) detail = `At step ${step} of ${started.steps}. ${detail}`;
  if (started && state.status === 'finished') detail = `${started.steps} steps.`;
  const download = run.fetching;   // in a continued run, after it had started
  if (download && state.status === 'running') detail = `Fetching ${download.what}: ${Math.round(download.done / 1e6)} of ${Math.round(download.total / 1e6)} MB. It is fetched once, then kept.`;
  const features = run.features;
  if (features && state.status === 'running' && features.done < features.total) detail = `${features.purpose === 'report' ? 'The networks answer about the last pictures' : 'The base looks at the pictures, once'}: ${features.done.toLocaleString('en')} of ${features.total.toLocaleString('en')}.`;
  const diverged = [...run.arms.values()].filter((arm) => arm.diverged !== null && state.status === 'running');   // after the run, the sentence above the curves says it
  const divergence = diverged.map((arm) => `${arm.name} diverged at step ${arm.diverged}: its loss was no longer a finite number, so it stopped there${diverged.length < run.arms.size ? '; the others go on' : ''}.`).join(' ');
  const quarter = started ? Math.floor((4 * step) / started.steps) : 0;
  say(WORDS[state.status] || state.status, detail, divergence, [run.id, state.status, state.place, !!download, quarter, diverged.length].join());
  find('.bar').hidden = !started;
  if (started) find('.done').style.width = `${(100 * step) / started.steps}%`;
  const facts = [];
  if (progress && state.status === 'running') facts.push(`${Math.round(progress.images_per_second)} images/s`, `${Math.round(progress.memory_mb)} MB`);
  if (started?.skipped?.length) facts.push(`${started.skipped.length} unreadable files left out`);
  if (started) facts.push(started.device, started.precision, ...(isTransfer() ? [] : [`${percent(state.share_of_paper * step / started.steps)} of the paper's training`]));
  if (run.others) facts.push(`${run.others} ${run.others === 1 ? 'other watches' : 'others watch'}: one starts, all watch`);
  if (pinned && pinned === run.id) facts.push('the teacher shows this run to everyone');
  find('.numbers').textContent = facts.join(' · ');
  find('.elsewhere').hidden = !pinned || pinned === run.id || isTransfer();
}

function table() {
  const run = runs.get(current);
  if (!run || !element.querySelector('details').open) return;
  const arms = [...run.arms.values()], every = Math.ceil(Math.max(1, ...arms.map((arm) => arm.training.length)) / 100);
  const sample = (arm) => arm.training.filter((p, i) => i % every === 0 || i === arm.training.length - 1);   // the same steps for each network
  const rows = arms.flatMap((arm) => [...sample(arm).map((p) => [arm.name, 'training', p]), ...arm.measured.map((p) => [arm.name, p.split, p])]);
  rows.sort((a, b) => a[2].step - b[2].step);
  const head = ['network', 'images', 'step', 'loss', 'error, %'];
  const node = document.createElement('table');
  node.createTHead().insertRow().append(...head.map((text) => { const th = document.createElement('th'); th.scope = 'col'; th.textContent = text; return th; }));
  const body = node.createTBody();
  rows.forEach(([arm, split, p]) => {
    const row = body.insertRow();
    [arm, split, p.step, number(p.loss), finite(p.error) ? number(100 * p.error, 1) : ''].forEach((text) => { row.insertCell().textContent = text; });
  });
  find('.table').replaceChildren(node);
}

// Below each figure, what it shows in this run, as the server computed it.
function read() {
  const sentences = runs.get(current)?.readings || {};
  element.querySelectorAll('.reading').forEach((node) => { node.textContent = sentences[node.dataset.figure] || ''; });
}

function draw() {
  status(); predictions(); legend(); read();
  curves(find('svg.loss'), 'loss', 1);
  curves(find('svg.error'), 'error', 100);
  layers(find('svg.gradient'), 'gradient_norms', true);
  layers(find('svg.response'), 'response_deviations', false);
  table();
}

for (const name of ['loss', 'error']) {
  const svg = find(`svg.${name}`);
  svg.addEventListener('pointermove', (event) => {
    if (!svg._scale) return;
    const box = svg.getBoundingClientRect(), { s, steps } = svg._scale;
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    hovered = ((x - s.area.left) / (s.area.right - s.area.left)) * steps;
    draw();
  });
  svg.addEventListener('pointerleave', () => { hovered = null; draw(); });
}
find('.smooth').addEventListener('input', draw);
find('.log').addEventListener('change', draw);
element.querySelector('details').addEventListener('toggle', table);
let width = 0;
new ResizeObserver(() => { if (find('.panels').clientWidth !== width) { width = find('.panels').clientWidth; draw(); } }).observe(find('.panels'));
watch('value', () => show(props.value));
show(props.value);
