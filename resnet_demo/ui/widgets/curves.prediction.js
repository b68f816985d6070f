// What visitors predict of the run before it ends; the server says what may be seen, and in which words. People who hear the page are
// told of their own choice and of the verdict, not of each prediction of others.
let lastNews = '';

function predictions() {
  const run = runs.get(current), tally = run && !run.error && run.tally, box = find('.prediction');
  const isShown = Boolean(tally && (tally.is_open || tally.sentence));
  box.hidden = !isShown;
  if (!isShown) return;
  const sentence = run.refusal || tally.sentence, news = [run.id, tally.own, tally.is_open, run.refusal].join();
  find('.prediction .tally').textContent = sentence;
  if (news !== lastNews && (tally.own || run.refusal)) find('.spoken').textContent += ` ${sentence}`;
  lastNews = news;
  const options = find('.prediction .options');
  options.hidden = !tally.is_open;
  find('.prediction legend').textContent = tally.is_open ? tally.question : 'What was predicted';
  if (!tally.is_open) return;
  if (options.dataset.run !== run.id) {   // made once for a run, so that the keyboard's place is not lost
    options.dataset.run = run.id;
    options.replaceChildren(...Object.entries(tally.options).map(([choice, words]) => {
      const input = make('input', { type: 'radio', name: `prediction-${run.id}`, value: choice });
      input.addEventListener('change', () => predict(run, choice));
      return make('label', {}, input, words);
    }));
  }
  for (const input of options.querySelectorAll('input')) input.checked = input.value === (run.choosing || tally.own);
}

async function predict(run, choice) {
  run.choosing = choice;
  const request = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ choice }) };
  try {
    const answer = await (await fetch(`${root()}/runs/${run.id}/prediction`, request)).json();
    run.refusal = answer.error || '';
    if (!answer.error) run.tally = answer;
  } catch (error) {
    run.refusal = 'No answer from the server: the prediction was not kept. Choose again.';
  }
  run.choosing = null;
  predictions();
}
