// Shows what one or two networks take a picture for, and where they looked. Everything that can be switched
// without asking the server (stage, opacity) is switched here; a click on a class triggers 'explain'.
const find = (selector) => element.querySelector(selector);
let answers = [];                                   // what is shown; it stays while the next answer is on its way
let stage = null;                                   // the stage the person chose, kept from picture to picture
let method = null;

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) if (value !== null && value !== undefined) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// A share never claims to be all or nothing.
const percent = (p) => (p > 0.999 ? '>99.9 %' : p < 0.001 ? '<0.1 %' : `${(100 * p).toFixed(p > 0.0995 && p < 0.99 ? 0 : 1)} %`);

function view(answer, shown, alt) {
  const small = answer.side <= 64 && answer.square <= 64;
  const box = make('div', { class: 'view' }, make('img', { src: answer.picture, alt, class: small ? 'small' : null }));
  if (shown && shown.heat) box.append(make('img', { src: shown.heat, alt: '', class: 'heat' }));
  return box;
}

function shownStage(answer) {
  return answer.stages.find((s) => s.name === stage) || answer.stages.find((s) => s.name === answer.stage) || answer.stages[answer.stages.length - 1];
}

function card(answer, index) {
  const node = make('article', { class: `card ${answer.kind}` });
  const shown = shownStage(answer), top = answer.predictions[0];
  node.append(make('h3', {}, make('span', { class: `badge ${answer.kind}`, 'aria-hidden': 'true' }), answer.model, make('small', {}, answer.about)));
  const where = shown ? `The map over it shows where ${answer.model} looked for ${answer.target_label}, after ${shown.title}.` : '';
  const left = make('div', {}, view(answer, shown, `The picture. ${answer.model} says ${top.label}, ${percent(top.probability)}. ${where}`));
  const strip = make('div', { class: 'strip', role: 'group', 'aria-label': 'Stage whose map is shown' });
  for (const s of answer.stages) {
    const button = make('button', { type: 'button', 'aria-pressed': String(s === shown), title: `${s.title}: a map of ${s.size.join('×')}` }, view(answer, s, ''), `${s.title} `, make('span', {}, s.size.join('×')));
    button.addEventListener('click', () => { stage = s.name; draw(); refocus(`.card:nth-child(${index + 1}) .strip button[aria-pressed=true]`); });
    strip.append(button);
  }
  if (answer.stages.length) left.append(strip);
  left.append(make('div', { class: 'seen' }, make('img', { src: answer.seen, alt: `The picture as the network saw it, ${answer.side} by ${answer.side} pixels` }), make('span', {}, `As the network saw it: ${answer.side}×${answer.side} pixels`)));
  const list = make('ol', { 'aria-label': `What ${answer.model} takes it for` });
  for (const p of answer.predictions) {
    const track = make('span', { class: 'track', 'aria-hidden': 'true' }, make('i', { style: `width:${(100 * p.probability).toFixed(1)}%` }));
    const button = make('button', { type: 'button', 'aria-pressed': String(p.index === answer.target), 'data-index': p.index, title: `Show where it looked for ${p.label}` }, make('span', { class: 'label' }, p.label), make('span', { class: 'value' }, percent(p.probability)), track);
    button.addEventListener('click', () => trigger('explain', { answer: index, target: p.index }));
    list.append(make('li', {}, button));
  }
  const words = [answer.words, answer.map_words].filter(Boolean).join(' ');
  node.append(left, make('div', {}, list, words ? make('p', { class: 'words' }, words) : ''));
  return node;
}

function refocus(selector) { const node = find(selector); if (node) node.focus(); }

function opacity() { element.querySelectorAll('.heat').forEach((image) => { image.style.opacity = find('.opacity').value; }); }

function draw() {
  const value = props.value || {};
  if (value.answers || value.state === 'empty') answers = value.answers || [];
  const focused = document.activeElement && element.contains(document.activeElement) ? document.activeElement.dataset.index : null;
  find('.answer').classList.toggle('waiting', value.state === 'loading');
  find('.sentence').textContent = value.message || value.sentence || 'Choose a picture.';
  find('.sentence').classList.toggle('error', value.state === 'error');
  if (value.answers || value.state === 'empty') {
    if (value.asked && value.asked.method !== method) { stage = null; method = value.asked.method; }
    find('.answers').replaceChildren(...answers.map(card));
    find('.answers').classList.toggle('two', answers.length > 1);
    find('.tools').hidden = !answers.length;
  }
  if (value.machine) find('.machine').textContent = value.machine;
  if (value.scale) {
    find('.scale .bar').style.background = value.scale.gradient;
    find('.scale .low').textContent = value.scale.low; find('.scale .high').textContent = value.scale.high;
  }
  // A phone's photographs: a browser offers HEIC files only where they are named.
  document.querySelectorAll('#picture input[type=file]').forEach((input) => { input.accept = 'image/*,.heic,.heif'; });
  opacity();
  if (value.asked && element.offsetParent) address(value.asked);
  if (focused) refocus(`ol button[data-index="${focused}"]`);
}

// A link to this page asks the same networks.
function address(asked) {
  const here = new URL(location.href);
  here.searchParams.delete('run');
  for (const key of ['model', 'second', 'method', 'signed']) {
    if (asked[key] && asked[key] !== 'grad-cam') here.searchParams.set(key, asked[key]); else here.searchParams.delete(key);
  }
  if (here.href !== location.href) history.replaceState(history.state, '', here);
}

const load = (source) => new Promise((done, failed) => { const image = new Image(); image.onload = () => done(image); image.onerror = failed; image.src = source; });

async function save() {
  const side = 480, canvas = make('canvas', { width: side * answers.length, height: side + 60 }), pen = canvas.getContext('2d');
  pen.fillStyle = '#fff'; pen.fillRect(0, 0, canvas.width, canvas.height);
  for (const [index, answer] of answers.entries()) {
    const shown = shownStage(answer), top = answer.predictions[0];
    pen.globalAlpha = 1; pen.imageSmoothingEnabled = answer.square > 64;
    pen.drawImage(await load(answer.picture), index * side, 0, side, side);
    pen.imageSmoothingEnabled = true; pen.globalAlpha = +find('.opacity').value;
    if (shown && shown.heat) pen.drawImage(await load(shown.heat), index * side, 0, side, side);
    pen.globalAlpha = 1; pen.fillStyle = answer.kind === 'plain' ? '#d55e00' : '#0072b2'; pen.font = '600 20px sans-serif';
    pen.fillText(`${answer.model}: ${top.label} ${percent(top.probability)}`, index * side + 8, side + 25, side - 16);
    pen.fillStyle = '#333'; pen.font = '16px sans-serif';
    pen.fillText(shown ? `What speaks for ${answer.target_label}: ${shown.title}, ${shown.size.join('×')}` : '', index * side + 8, side + 48, side - 16);
  }
  const link = make('a', { href: canvas.toDataURL('image/png'), download: 'resnet-lab.png' });
  link.click();
}

async function copy() {
  const lines = answers.flatMap((answer) => [answer.model, ...answer.predictions.map((p) => `${p.label}\t${(100 * p.probability).toFixed(2)} %`)]);
  try { await navigator.clipboard.writeText(lines.join('\n')); find('.copy').textContent = 'Copied'; } catch { find('.copy').textContent = 'The browser does not allow copying here'; }
  setTimeout(() => { find('.copy').textContent = 'Copy the numbers'; }, 2000);
}

find('.opacity').addEventListener('input', opacity);
find('.save').addEventListener('click', save);
find('.copy').addEventListener('click', copy);
find('.camera').hidden = window.isSecureContext;
watch('value', draw);
draw();
