// expect: the first half
// of a sentence
int start();
