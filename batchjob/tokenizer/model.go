package tokenizer

// model cuts the text between added tokens. It is safe for concurrent use with different
// arguments.
type model interface {
	// normalize fills out with s, whose first character is code point first of the text, and
	// returns the code point after it. A byte that is not UTF-8 counts as one U+FFFD.
	normalize(out *normalized, s string, first int32) int32
	// cut appends the pieces of the normalised text from byte from to byte to, from < to.
	cut(out *pieces, n *normalized, from, to int)
}

// bertModel is BERT's normalisation and pre-tokenisation with WordPiece.
type bertModel struct {
	*normalizer
	words *wordpiece
}

func (m *bertModel) cut(out *pieces, n *normalized, from, to int) {
	m.eachWord(n.text, from, to, func(from, to int) { m.words.cut(out, n, from, to) })
}
