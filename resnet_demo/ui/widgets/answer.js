// Shows what one or two networks take a picture for, and where they looked. What needs no server (stage, opacity)
// changes here; a click on a class triggers 'explain'.
let answers = [];                                   // on the page; they stay while the next answer is on its way
let stage = null;                                   // what the person chose, kept from picture to picture
let method = null;
let current = {};                                   // the latest value, except late updates of a cancelled request
let cancelled = null;                               // the ticket of the request that the person cancelled
let spoken = null;                                  // the request and the state that screen readers announced last
let drawn = null;                                   // the ticket of the request whose answer is on the page

function view(answer, map, alt) {
  const small = answer.side <= 64 && answer.square <= 64;
  const box = make('div', { class: 'view' }, make('img', { src: answer.picture, alt, class: small ? 'small' : null }));
  putOver(box, map);
  return box;
}

function putOver(box, map) { if (map && map.heat) box.append(make('img', { src: map.heat, alt: '', class: 'heat' })); }

function altOf(answer, map) {
  const top = answer.predictions[0];
  const where = map.pending ? `The map of ${map.title} is on its way.` : `The map over it shows where ${answer.title} looked for ${answer.target_label}, after ${map.title}.`;
  return `The picture. ${answer.title} says ${top.label}, ${share(top.probability)}. ${where}`;
}

function stageOf(answer) {
  return answer.stages.find((s) => s.name === stage) || answer.stages.find((s) => s.name === answer.stage) || answer.stages[answer.stages.length - 1];
}

function card(answer, index) {
  const node = make('article', { class: `card ${answer.kind}` });
  const map = stageOf(answer);
  node.append(make('h2', {}, make('span', { class: `badge ${answer.kind}`, 'aria-hidden': 'true' }), answer.title, make('small', {}, answer.about)));
  const picture = view(answer, map, altOf(answer, map));
  const strip = make('div', { class: 'strip', role: 'group', 'aria-label': 'Stage whose map is shown' });
  for (const s of answer.stages) {
    const button = make('button', { type: 'button', class: s.pending ? 'pending' : null, 'aria-pressed': String(s === map), 'data-stage': s.name, title: `${s.title}: a map of ${s.size.join('×')}` }, view(answer, s, ''), make('span', {}, s.title), make('span', {}, s.size.join('×')));
    button.addEventListener('click', () => { stage = s.name; drawn = null; draw(); });
    strip.append(button);
  }
  const small = answer.side <= 64 ? 'small' : null;
  strip.append(make('div', { class: 'seen', title: 'The picture as the network saw it' }, make('img', { src: answer.seen, class: small, alt: `The picture as the network saw it, ${answer.side} by ${answer.side} pixels` }), make('span', {}, 'Its input'), make('span', {}, `${answer.side}×${answer.side}`)));
  const list = make('ol', { 'aria-label': `What ${answer.title} takes it for` });
  for (const p of answer.predictions) {
    const track = make('span', { class: 'track', 'aria-hidden': 'true' }, make('i', { style: `width:${(100 * p.probability).toFixed(1)}%` }));
    const button = make('button', { type: 'button', 'aria-pressed': String(p.index === answer.target), 'data-index': p.index, title: `Show where it looked for ${p.label}` }, make('span', { class: 'label' }, p.label), make('span', { class: 'value' }, share(p.probability)), track);
    button.addEventListener('click', () => trigger('explain', { answer: index, target: p.index }));
    list.append(make('li', {}, button));
  }
  const words = [answer.words, answer.map_words].filter(Boolean).join(' ');
  node.append(picture, list, make('p', { class: 'words' }, words), strip);
  return node;
}

// Before the first answer, grey placeholders stand where it will appear.
function ghost() {
  const list = make('ol', {}, ...[92, 40, 24, 12, 8].map((width) => make('li', {}, make('i', { style: `width:${width}%` }))));
  return make('article', { class: 'card ghost', 'aria-hidden': 'true' }, make('h2', {}), make('div', { class: 'view' }), list);
}

// A selector for the button that has the focus, which finds it again after the cards are drawn anew; null for anything else.
function focusSelector() {
  const button = element.contains(document.activeElement) && document.activeElement.closest('.card [data-index], .card [data-stage]');
  if (!button) return null;
  const [name, value] = Object.entries(button.dataset)[0], card = button.closest('.card');
  return `.card:nth-child(${[...card.parentElement.children].indexOf(card) + 1}) [data-${name}=${JSON.stringify(value)}]`;
}

// The maps of the earlier stages come after the answer. Each is put into its place; nothing else changes, the focus neither.
function addMaps() {
  for (const [index, answer] of answers.entries()) {
    const node = find(`.card:nth-child(${index + 1})`);
    for (const map of answer.stages) {
      const button = node.querySelector(`.pending[data-stage=${JSON.stringify(map.name)}]`);
      if (!button || map.pending) continue;
      button.classList.remove('pending');
      putOver(button.querySelector('.view'), map);
      if (map !== stageOf(answer)) continue;
      putOver(node.querySelector(':scope > .view'), map);
      node.querySelector(':scope > .view img').alt = altOf(answer, map);
    }
  }
  opacity();
}

function opacity() { element.querySelectorAll('.heat').forEach((image) => { image.style.opacity = find('.opacity').value; }); }

function draw() {
  const latest = props.value || {};
  if (!latest.ticket || latest.ticket !== cancelled) current = latest;
  const value = current, loading = value.state === 'loading';
  if (value.answers) answers = value.answers;
  if (value.answers && value.ticket && value.ticket === drawn) { addMaps(); return; }
  const focus = focusSelector();
  find('.answer').classList.toggle('waiting', loading);
  find('.cancel').hidden = !loading;
  say(value, loading);
  if (value.asked && value.asked.method !== method) { if (method) stage = null; method = value.asked.method; }
  if (value.answers || !find('.card')) {
    find('.answers').replaceChildren(...(answers.length ? answers.map(card) : [ghost()]));
    find('.answers').classList.toggle('two', answers.length > 1);
    if (value.answers) drawn = value.ticket;
    find('.tools').classList.toggle('nothing', !answers.length);
  }
  if (value.machine) find('.machine').textContent = value.machine;
  if (value.scale) {
    find('.scale .bar').style.background = value.scale.gradient;
    find('.scale .low').textContent = value.scale.low; find('.scale .high').textContent = value.scale.high;
  }
  opacity();
  address(Boolean(value.asked), value.state === 'empty');
  if (focus) find(focus)?.focus();
}

function say(value, loading) {
  const remains = answers.length && (value.state === 'error' || value.state === 'stopped');
  const sentence = (value.message || value.sentence || 'Choose a picture.') + (remains ? ` Still shown: ${answers.map((answer) => answer.title).join(' and ')}.` : '');
  find('.sentence').textContent = sentence;
  find('.sentence').classList.toggle('error', value.state === 'error');
  const news = `${value.ticket} ${value.state}`;       // not every step of a long wait, and not every look at another stage
  if (spoken !== news) find('.spoken').textContent = sentence;
  spoken = news;
  around(value);
}

const load = (source) => new Promise((resolve, reject) => { const image = new Image(); image.onload = () => resolve(image); image.onerror = reject; image.src = source; });

async function save() {
  const side = 480, canvas = make('canvas', { width: side * answers.length, height: side + 60 }), pen = canvas.getContext('2d');
  pen.fillStyle = '#fff'; pen.fillRect(0, 0, canvas.width, canvas.height);
  for (const [index, answer] of answers.entries()) {
    const map = stageOf(answer), top = answer.predictions[0];
    pen.globalAlpha = 1; pen.imageSmoothingEnabled = answer.square > 64;
    pen.drawImage(await load(answer.picture), index * side, 0, side, side);
    pen.imageSmoothingEnabled = true; pen.globalAlpha = +find('.opacity').value;
    if (map && map.heat) pen.drawImage(await load(map.heat), index * side, 0, side, side);
    pen.globalAlpha = 1; pen.fillStyle = canvasColourOf(answer.kind); pen.font = '600 20px sans-serif';
    pen.fillText(`${answer.title}: ${top.label} ${share(top.probability)}`, index * side + 8, side + 25, side - 16);
    pen.fillStyle = '#333'; pen.font = '16px sans-serif';
    pen.fillText(map ? `What speaks for ${answer.target_label}: ${map.title}, ${map.size.join('×')}` : '', index * side + 8, side + 48, side - 16);
  }
  const link = make('a', { href: canvas.toDataURL('image/png'), download: 'resnet-lab.png' });
  link.click();
}

async function copy() {
  const lines = answers.flatMap((answer) => [answer.title, ...answer.predictions.map((p) => `${p.label}\t${(100 * p.probability).toFixed(2)} %`)]);
  find('.copy').textContent = await copyText(lines.join('\n')) ? 'Copied' : 'Not allowed here';
  setTimeout(() => { find('.copy').textContent = 'Copy the numbers'; }, 2000);
}

fromAddress();
find('.opacity').addEventListener('input', opacity);
find('.opacity').addEventListener('change', () => address());
find('.save').addEventListener('click', save);
find('.copy').addEventListener('click', copy);
find('.cancel').addEventListener('click', () => { cancelled = current.ticket; trigger('abandon'); });
find('.own').addEventListener('click', () => document.querySelector(`${PICTURE} input[type=file]`)?.click());
// Ctrl+V anywhere on the tab, also over plain http, where browsers do not let the button read the clipboard.
document.addEventListener('paste', (event) => {
  const file = [...(event.clipboardData?.files || [])].find((item) => item.type.startsWith('image/'));
  const input = document.querySelector(`${PICTURE} input[type=file]`);
  if (!file || !input || !element.offsetParent) return;
  const transfer = new DataTransfer();
  transfer.items.add(file);
  input.files = transfer.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
  event.preventDefault();
});
watch('value', draw);
draw();
