// An experiment: its question, what came out, and what it does not prove. The value carries every number.
let current = null;                                 // the latest outcome; it stays while the next one is computed
let replaces = true;                                // the next address replaces the current step of the history
let spoken = null;
const root = () => (window.gradio_config?.root || '').replace(/\/$/, '');

function table() { if (current && find('details').open) find('.table').replaceChildren(numbersTable(current.panels)); }

function frame(value) {
  find('.title').textContent = value.title;
  find('.question').textContent = value.question;
  find('.caveat').replaceChildren(make('b', {}, 'What it does not prove. '), value.caveat);
  find('.source').replaceChildren(make('b', {}, 'After '), make('a', { href: value.link, rel: 'noopener', target: '_blank' }, value.reference), '.');
}

function exportLinks() {
  const fields = Object.entries(current.query).filter(([, value]) => value !== null);
  const query = new URLSearchParams(fields);
  element.querySelectorAll('.exports a').forEach((link) => { link.href = `${root()}/inside/${link.dataset.form}?${query}`; link.setAttribute('download', ''); });
}

function draw() {
  const value = props.value || {}, loading = value.state === 'loading';
  find('.inside').classList.toggle('waiting', loading);
  find('.cancel').hidden = !loading;
  if (value.title) frame(value);
  if (value.state === 'result' && value !== current) {
    if (spoken === 'loading' && innerWidth <= 700) find('.title').scrollIntoView({ block: 'start' });   // on a phone it is below the button
    current = value;
    find('.panels').replaceChildren(...value.panels.map(figure));
    drawPanels(value.panels);
    find('.conditions').textContent = value.conditions;
    table();
    find('.inside').dataset.shown = value.experiment;
    exportLinks();
    pageAddress.put('inside', value.query, { step: !replaces && pageAddress.shown() === 'inside' });
    replaces = false;
  }
  find('.result').classList.toggle('none', !current);
  const sentence = value.message || value.sentence || '';
  find('.sentence').textContent = sentence;
  find('.sentence').classList.toggle('error', value.state === 'error');
  if (!loading || spoken !== 'loading') find('.spoken').textContent = sentence;   // not every step of a long wait
  spoken = value.state;
}

find('.cancel').addEventListener('click', () => trigger('abandon'));
find('details').addEventListener('toggle', table);
window.addEventListener('popstate', () => {
  if (pageAddress.shown() !== 'inside') return;
  replaces = true;
  trigger('restore', { query: location.search });
});
let width = 0;
new ResizeObserver(() => { const now = find('.panels').clientWidth; if (current && now && now !== width) { width = now; drawPanels(current.panels); } }).observe(find('.panels'));
watch('value', draw);
draw();
