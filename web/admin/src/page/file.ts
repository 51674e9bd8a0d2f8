import { answered } from '../api/client';

type Asked = Promise<{ data?: Blob; error?: unknown; response: Response }>;

/** Opens a file that an operation answers, in a tab of its own, from which it can be printed. */
export async function openFile(pending: Asked) {
  // The tab is opened at once, for a browser opens none that nobody clicked for.
  const tab = window.open('', '_blank');
  try {
    const { data } = await answered(pending);
    const address = URL.createObjectURL(data);
    if (tab) tab.location.href = address;
    else window.location.assign(address);
  } catch (error) {
    tab?.close();
    throw error;
  }
}

/** Keeps a file that an operation answers where the browser keeps what is downloaded. */
export async function saveFile(pending: Asked, name: string) {
  save((await answered(pending)).data, name);
}

/** Puts a file among the downloads. */
export function save(file: Blob, name: string) {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
