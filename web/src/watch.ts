import { WatchPage } from './watch/watch-page.js';

new WatchPage(decodeURIComponent(location.pathname.split('/').at(-1) ?? ''));
