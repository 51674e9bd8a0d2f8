import { getNonce } from 'get-nonce';
import { type SyntheticEvent, useMemo } from 'react';
import classes from './mails.module.css';

/**
 * A mail, in a document of its own, in which nothing runs. Mails carry their styles with them,
 * which the office's policy does not let in as they stand: its sheet gets the nonce, and the
 * styles of elements are set once they are there.
 */
export function MailFrame({ html, title }: { html: string; title: string }) {
  const text = useMemo(() => html.replaceAll('<style', `<style nonce="${getNonce() ?? ''}"`).replaceAll(' style="', ' data-style="'), [html]);
  const dress = (event: SyntheticEvent<HTMLIFrameElement>) => {
    const page = event.currentTarget.contentDocument;
    for (const element of page?.querySelectorAll<HTMLElement>('[data-style]') ?? []) element.style.cssText = element.dataset.style ?? '';
    // Its links are looked at, not followed.
    page?.addEventListener('click', (click) => click.preventDefault());
  };
  return <iframe className={classes.mail} title={title} srcDoc={text} sandbox="allow-same-origin" onLoad={dress} style={{ colorScheme: 'light' }} />;
}
