import { setNonce } from 'get-nonce';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import './main.css';

// The page's policy lets only such styles in that bear its nonce: those of the component
// library, and what keeps a page from scrolling under a dialog.
const nonce = document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';
setNonce(nonce);

createRoot(document.getElementById('root') as HTMLElement).render(<App nonce={nonce} />);
