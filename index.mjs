import distribus from './index.js';

export const { Host, Peer, Promise } = distribus;
export default distribus;
