import { WatchPage } from './watch-page.js';

new WatchPage(decodeURIComponent(location.pathname.split('/').at(-1) ?? ''));
