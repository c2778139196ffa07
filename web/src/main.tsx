import { render } from 'preact';
import { App } from './app';
import { registerWorker } from './pwa/worker';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/pages.css';
import './styles/meeting.css';
import './styles/panel.css';
import './styles/spaces.css';
import './styles/search.css';
import './styles/account.css';

const root = document.getElementById('app');
if (root) render(<App />, root);
registerWorker().catch(() => undefined); // refused: everything works but a start without a network
