// The one script that runs before the first paint, so that no theme or typeface flashes.

export const THEME_KEY = 'concord.theme';
export const FACE_KEY = 'concord.face';

/** Runs inline in <head>. Plain strings in storage keep it small; its hash is part of the content security policy. */
export const preferencesScript = `(function(d){try{var t=localStorage.getItem('${THEME_KEY}'),f=localStorage.getItem('${FACE_KEY}');if(t==='light'||t==='dark')d.dataset.theme=t;if(f==='sans'||f==='mono')d.dataset.face=f}catch(e){}})(document.documentElement)`;
