import { PublishPage } from './publish-page.js';

new PublishPage();
