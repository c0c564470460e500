package tokenizer

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// checkEncoding reports what no encoding of text may break.
func checkEncoding(tok *Tokenizer, text string, e Encoding) string {
	n := len(e.IDs)
	if len(e.TypeIDs) != n || len(e.Mask) != n || len(e.Offsets) != n || len(e.Tokens) != n {
		return "the slices differ in length"
	}
	runes := utf8.RuneCountInString(text)
	last := 0
	for i, id := range e.IDs {
		from, to := e.Offsets[i][0], e.Offsets[i][1]
		if id < 0 || int(id) >= tok.VocabSize() {
			return "an id is outside the vocabulary"
		}
		if i == 0 || i == n-1 { // [CLS], [SEP]
			if from != 0 || to != 0 {
				return "a special token has offsets"
			}
			continue
		}
		if from < last || to <= from || to > runes {
			return "offsets leave the text or go back"
		}
		last = from
	}
	return ""
}

// odd are strings that normalisation treats in different ways.
var odd = []string{"é", "e\u0301", "İ", "中", "豈", "한", "한", "\u302e\u0301", "\x00", "\u200b", "[SEP]", "[MASK", "##a", "\xff", "’", "😀", "\U0001d15e\u0316", "\t\n", "ẞ"}

func textGenerator() *rapid.Generator[string] {
	part := rapid.OneOf(rapid.String(), rapid.SampledFrom(odd), rapid.StringMatching(`[a-z ]{0,12}`), rapid.StringMatching(`a{99,102}`))
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "")
	})
}

func TestEncodeProperties(t *testing.T) {
	dirs := wordPieceFamilies(t)
	toks := make([]*Tokenizer, len(dirs))
	for i, dir := range dirs {
		toks[i] = load(t, dir)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := textGenerator().Draw(t, "text")
		for _, tok := range toks {
			if bad := checkEncoding(tok, text, tok.Encode(text)); bad != "" {
				t.Fatal(bad)
			}
		}
	})
}

// TestSpacesPartTexts: a space on either side of a text changes nothing but offsets.
func TestSpacesPartTexts(t *testing.T) {
	tok := load(t, wordPieceFamilies(t)[0])
	rapid.Check(t, func(t *rapid.T) {
		a, b := textGenerator().Draw(t, "a"), textGenerator().Draw(t, "b")
		ea, eb, both := tok.Encode(a), tok.Encode(b), tok.Encode(a+" "+b)
		want := append(append([]int32{}, ea.IDs[:len(ea.IDs)-1]...), eb.IDs[1:]...)
		if d := cmp.Diff(want, both.IDs); d != "" {
			t.Fatalf("ids (-want +got):\n%s", d)
		}
		shift := utf8.RuneCountInString(a) + 1
		for i, o := range eb.Offsets[1 : len(eb.Offsets)-1] {
			if got := both.Offsets[len(ea.IDs)-1+i]; got != [2]int{o[0] + shift, o[1] + shift} {
				t.Fatalf("piece %d of the second text is at %v, alone at %v", i, got, o)
			}
		}
	})
}

// TestPiecesSpellTheText: lower-case ASCII letters come back from the tokens.
func TestPiecesSpellTheText(t *testing.T) {
	tok := load(t, wordPieceFamilies(t)[0])
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-z]{1,12} ?){0,6}`).Draw(t, "text")
		e := tok.Encode(text)
		for i, token := range e.Tokens[1 : len(e.Tokens)-1] {
			o := e.Offsets[i+1]
			if token != "[UNK]" && strings.TrimPrefix(token, "##") != text[o[0]:o[1]] {
				t.Fatalf("token %q stands for %q", token, text[o[0]:o[1]])
			}
		}
	})
}

func TestTrieFindsTheLongest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab\x00\xff]{1,6}`), 1, 40, rapid.ID[string]).Draw(t, "words")
		values := make([]int32, len(words))
		for i := range values {
			values[i] = int32(i)
		}
		trie := newTrie(words, values)
		text := rapid.StringMatching(`[abc\x00\xff]{0,9}`).Draw(t, "text")
		want, length := int32(0), 0
		for i, w := range words {
			if strings.HasPrefix(text, w) && len(w) > length {
				want, length = int32(i), len(w)
			}
		}
		got, n := trie.longest(0, []byte(text))
		if n != length || got != want {
			t.Fatalf("longest entry of %q is %d bytes of %d, want %d of %d", text, n, got, length, want)
		}
		if s := trie.walk(0, text+"c"); s != dead {
			t.Fatalf("walked %q to %d", text+"c", s)
		}
	})
}

// TestNormalizeKeepsOrder: every normalised byte comes from a code point, in order.
func TestNormalizeKeepsOrder(t *testing.T) {
	n := newNormalizer(true, true, true, true)
	var out normalized
	rapid.Check(t, func(t *rapid.T) {
		text := textGenerator().Draw(t, "text")
		end := n.normalize(&out, text, 5)
		if int(end) != 5+utf8.RuneCountInString(text) || !utf8.Valid(out.text) || len(out.text) != len(out.align) {
			t.Fatalf("%d code points, %d bytes, %d origins", end, len(out.text), len(out.align))
		}
		last := int32(5)
		for _, at := range out.align {
			if at < last || at >= end {
				t.Fatalf("code point %d after %d of %d", at, last, end)
			}
			last = at
		}
		for _, r := range string(out.text) {
			if unicode.IsUpper(r) && unicode.ToLower(r) != r {
				t.Fatalf("%q stayed", r)
			}
		}
	})
}

func FuzzEncode(f *testing.F) {
	tok := load(f, wordPieceFamilies(f)[0])
	for _, s := range odd {
		f.Add(s, "x"+s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if bad := checkEncoding(tok, a, tok.Encode(a)); bad != "" {
			t.Errorf("%q: %s", a, bad)
		}
		if e, err := tok.EncodeInput(Input{a, b}, Options{MaxLength: 12}); err != nil || len(e.IDs) > 12 {
			t.Errorf("%q, %q: %d tokens, %v", a, b, len(e.IDs), err)
		}
	})
}

func FuzzTokenizerJSON(f *testing.F) {
	for _, s := range []string{minimalJSON, bpeJSON, unigramJSON, wordPieceJSON} {
		f.Add([]byte(s), "a text")
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		tok, err := fromJSON(data, config{})
		if err != nil {
			return
		}
		tok.Encode(text)
		_, _ = tok.EncodeInput(Input{text, text}, Options{MaxLength: 8}) // any error, no panic
	})
}

func FuzzVocab(f *testing.F) {
	f.Add([]byte(strings.Join(SpecialTokens(), "\n")+"\na\n##a"), "aa")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		tok, err := fromVocab(data, config{})
		if err != nil {
			return
		}
		tok.Encode(text)
	})
}
