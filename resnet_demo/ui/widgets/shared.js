// What several widgets share; it stands before the script of each.

// Copies a text, and gives whether that worked. Over plain http browsers lend no clipboard; there the old way of
// selecting a text and copying it still works.
async function copied(text) {
  if (navigator.clipboard) try { await navigator.clipboard.writeText(text); return true; } catch { /* refused: the old way */ }
  const area = document.createElement('textarea'), before = document.activeElement;
  area.setAttribute('aria-hidden', 'true'); area.style = 'position:fixed;opacity:0'; area.value = text;
  document.body.append(area); area.select();
  const done = document.execCommand('copy');
  area.remove(); before?.focus();
  return done;
}
