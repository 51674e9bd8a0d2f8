import { answered } from '../api/client';

/** Opens a file that an operation answers, in a tab of its own, from which it can be printed. */
export async function openFile(pending: Promise<{ data?: Blob; error?: unknown; response: Response }>) {
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
