/** The first rows of a CSV file, the header among them; a field in quotes may hold commas and lines. */
export function firstRows(text: string, most: number): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = text.startsWith('\uFEFF') ? 1 : 0; at < text.length && rows.length < most; at++) {
    const sign = text[at];
    if (quoted && sign === '"' && text[at + 1] === '"') {
      field += '"';
      at++;
    } else if (sign === '"') {
      quoted = !quoted;
    } else if (!quoted && (sign === ',' || sign === '\n')) {
      row.push(field);
      field = '';
      if (sign === '\n') {
        rows.push(row);
        row = [];
      }
    } else if (quoted || sign !== '\r') {
      field += sign;
    }
  }
  if (rows.length < most && (field || row.length > 0)) rows.push([...row, field]);
  return rows;
}
