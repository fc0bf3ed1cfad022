import { PublishPage } from './publish/publish-page.js';

new PublishPage();
