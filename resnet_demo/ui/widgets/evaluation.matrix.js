// The confusion matrix as a grid: arrow keys walk, Enter or a click asks for the pictures of a cell.
let cell = null;                                    // the row and column, by the numbers of the classes, whose pictures are shown
let place = [0, 0];                                 // where the focus is, by position

function cellWords(matrix, r, c) {
  const right = matrix.rows[r], answer = matrix.columns[c], count = matrix.counts[r][c];
  const what = right.index === answer.index ? `${right.label}, rightly named` : `${right.label} taken for ${answer.label}`;
  return `${what}: ${count} ${count === 1 ? 'picture' : 'pictures'}`;
}

function matrixTable(model, choose) {
  const matrix = model.matrix, most = Math.max(...matrix.counts.flat(), 1);
  const table = make('table', { class: 'grid', role: 'grid', 'aria-label': `Confusion matrix of ${model.title}: rows are the right classes, columns the answers`, style: `--hue: ${colourOf(model.kind)}` });
  table.append(make('thead', {}, make('tr', {}, make('td', { 'aria-hidden': 'true' }), ...matrix.columns.map((column) => make('th', { scope: 'col', title: column.label }, make('span', {}, column.label))))));
  const body = make('tbody', {});
  matrix.rows.forEach((row, r) => {
    const line = make('tr', {}, make('th', { scope: 'row', title: row.label }, row.label));
    matrix.columns.forEach((column, c) => {
      const count = matrix.counts[r][c], heat = Math.round(100 * Math.sqrt(count / most));
      const td = make('td', { role: 'gridcell', tabindex: r === place[0] && c === place[1] ? 0 : -1, 'data-r': r, 'data-c': c, 'aria-label': cellWords(matrix, r, c), 'aria-selected': String(Boolean(cell) && cell[0] === row.index && cell[1] === column.index), class: [row.index === column.index ? 'right' : '', count ? '' : 'nothing', heat > 62 ? 'strong' : ''].filter(Boolean).join(' ') || null, style: `--heat: ${heat}` }, count ? String(count) : '·');
      td.addEventListener('click', () => choose(row.index, column.index, r, c));
      line.append(td);
    });
    body.append(line);
  });
  table.append(body);
  table.addEventListener('keydown', (event) => walk(event, table, matrix, choose));
  return make('div', { class: 'grid-scroll' }, table);
}

function walk(event, table, matrix, choose) {
  const td = event.target.closest('td[role=gridcell]');
  if (!td) return;
  let r = +td.dataset.r, c = +td.dataset.c;
  const last = [matrix.rows.length - 1, matrix.columns.length - 1];
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (event.key === 'Enter' || event.key === ' ') choose(matrix.rows[r].index, matrix.columns[c].index, r, c);
  else if (steps[event.key]) { r = Math.min(Math.max(r + steps[event.key][0], 0), last[0]); c = Math.min(Math.max(c + steps[event.key][1], 0), last[1]); }
  else if (event.key === 'Home') { c = 0; if (event.ctrlKey) r = 0; }
  else if (event.key === 'End') { c = last[1]; if (event.ctrlKey) r = last[0]; }
  else return;
  event.preventDefault();
  focusCell(table, r, c);
}

function focusCell(table, r, c) {
  place = [r, c];
  table.querySelectorAll('td[role=gridcell]').forEach((td) => { td.tabIndex = +td.dataset.r === r && +td.dataset.c === c ? 0 : -1; });
  table.querySelector(`td[data-r="${r}"][data-c="${c}"]`)?.focus();
}

// Where there are too many classes for a matrix, the most frequent confusions are a list of buttons.
function confusionList(model, choose) {
  return make('ol', { class: 'confusions' }, ...model.confusions.map((entry) => {
    const button = make('button', { type: 'button' }, `${entry.label} taken for ${entry.answer}: ${entry.count}`);
    button.addEventListener('click', () => choose(entry.row, entry.column, 0, 0));
    return make('li', {}, button);
  }));
}
