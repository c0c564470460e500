package tokenizer

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// oddText joins what these tokenizers treat in ways of their own.
func oddText() *rapid.Generator[string] {
	odd := append([]string{
		"\u2581", "\u2581\u2581", " ", "  ", "\r\n", "\n", "\u00a0", "'s", "'ll", "'re", "'", "\ufb01", "\u2026", "\u00bd", "A\u030a",
		"\u0001", "\u00ad\u0301", "\u1100\u1161\u11a8", "\u0915\u094d\u0937", "\u0600a", "👨‍💻", "❤️", "``", "the", " a", "123", "<mask>",
		"[MASK]", "<unk>", "\U00010d50",
	}, odd...)
	part := rapid.OneOf(rapid.String(), rapid.SampledFrom(odd), rapid.SampledFrom(odd), rapid.StringMatching(`[a-z ]{0,12}`), rapid.StringMatching(`[ab]{30,60}`))
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "parts"), "")
	})
}

// goldenModels returns the golden tokenizers whose model is an M.
func goldenModels[M model](t testing.TB) (toks []*Tokenizer, models []M) {
	t.Helper()
	for _, dir := range goldentest.Cases(t, "tokenizer.json", "tokenizers") {
		tok := load(t, dir)
		if m, ok := tok.model.(M); ok {
			toks, models = append(toks, tok), append(models, m)
		}
	}
	return toks, models
}

// compareBPE reports where the model and the slow one differ on text without added tokens.
func compareBPE(m *bpe, words slowWords, text string) string {
	var n normalized
	var got pieces
	m.normalize(&n, text, 0)
	if len(n.text) > 0 {
		m.cut(&got, &n, 0, len(n.text))
	}
	var want []int32
	var ends [][2]int
	for at := 0; at < len(n.text); {
		end := at + words.next(string(n.text[at:]))
		if end == at {
			return fmt.Sprintf("no alternative matches at byte %d", at)
		}
		for _, p := range slowMerge(m, n.text[at:end]) {
			want = append(want, p.id)
			place := [2]int{int(n.align[at+int(p.from)]), int(n.align[at+int(p.to)-1]) + 1}
			if m.trim != nil {
				place = m.trim.edges[p.id].trim(place, false, len(ends) == 0)
			}
			ends = append(ends, place)
		}
		at = end
	}
	if !slices.Equal(want, got.ids) {
		return "ids: " + cmp.Diff(want, got.ids)
	}
	if !slices.Equal(ends, got.offsets) {
		return "places: " + cmp.Diff(ends, got.offsets)
	}
	return ""
}

// compareUnigram does so for a Unigram model without byte fallback.
func compareUnigram(m *unigram, ids map[string]int32, text string) string {
	var n normalized
	var got pieces
	m.normalize(&n, text, 0)
	if len(n.text) == 0 {
		return ""
	}
	m.cut(&got, &n, 0, len(n.text))
	// One place for a whole text: with the mark in place of spaces, and before it.
	marked := strings.ReplaceAll(string(n.text), " ", spaceMark)
	if m.prefix && !strings.HasPrefix(marked, spaceMark) {
		marked = spaceMark + marked
	}
	var want []int32
	for at := 0; at < len(marked); {
		end := len(marked)
		if i := strings.Index(marked[at+1:], spaceMark); i >= 0 {
			end = at + 1 + i
		}
		for _, p := range slowBest(ids, m, marked[at:end]) {
			want = append(want, p.id)
		}
		at = end
	}
	if !slices.Equal(want, got.ids) {
		return "ids: " + cmp.Diff(want, got.ids)
	}
	return ""
}

// modelIDs is the model's own vocabulary, which added tokens may add to.
func modelIDs(tok *Tokenizer, m *unigram) map[string]int32 {
	ids := map[string]int32{}
	for id, piece := range tok.vocab[:len(m.scores)] {
		ids[piece] = int32(id)
	}
	return ids
}

// goldenCharsmap returns a golden tokenizer's normaliser.
func goldenCharsmap(t testing.TB) *charsmap {
	t.Helper()
	_, models := goldenModels[*unigram](t)
	for _, m := range models {
		for _, s := range m.stepper {
			if c, ok := s.(*charsmap); ok {
				return c
			}
		}
	}
	t.Skip("no golden tokenizer has a charsmap")
	return nil
}

func compareCharsmap(m *charsmap, rules map[string]string, text string) string {
	var n normalized
	n.load(text, 0)
	clean := string(n.text)
	m.apply(&n)
	want, origins := slowNormalize(rules, clean)
	if want != string(n.text) {
		return fmt.Sprintf("%+q, want %+q", n.text, want)
	}
	at := 0
	for i, r := range []rune(want) {
		for range utf8.RuneLen(r) {
			if n.align[at] != origins[i] {
				return fmt.Sprintf("character %d comes from %d, want %d", i, n.align[at], origins[i])
			}
			at++
		}
	}
	return ""
}

func TestBPEAgreesWithTheSlowOne(t *testing.T) {
	_, models := goldenModels[*bpe](t)
	words := newSlowWords()
	rapid.Check(t, func(t *rapid.T) {
		text := oddText().Draw(t, "text")
		for _, m := range models {
			if bad := compareBPE(m, words, text); bad != "" {
				t.Fatal(bad)
			}
		}
	})
}

func TestUnigramAgreesWithTheSlowOne(t *testing.T) {
	toks, models := goldenModels[*unigram](t)
	rapid.Check(t, func(t *rapid.T) {
		text := oddText().Draw(t, "text")
		for i, m := range models {
			if bad := compareUnigram(m, modelIDs(toks[i], m), text); bad != "" {
				t.Fatal(bad)
			}
		}
	})
}

// TestUnigramTies: random vocabularies whose scores are often equal.
func TestUnigramTies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vocab := append([]string{"<unk>"}, rapid.SliceOfNDistinct(rapid.StringMatching(`[ab▁é]{1,4}`), 0, 30, rapid.ID[string]).Draw(t, "vocab")...)
		scores := rapid.SliceOfN(rapid.SampledFrom([]float64{0, -1, -2, -2.5, 1}), len(vocab), len(vocab)).Draw(t, "scores")
		m := newUnigram(vocab, scores, unigramSettings{prefix: rapid.Bool().Draw(t, "prefix")})
		ids := map[string]int32{}
		for i, piece := range vocab {
			ids[piece] = int32(i)
		}
		if bad := compareUnigram(m, ids, rapid.StringMatching(`[abc▁é ]{0,20}`).Draw(t, "text")); bad != "" {
			t.Fatal(bad)
		}
	})
}

func TestCharsmapAgreesWithTheSlowOne(t *testing.T) {
	golden := goldenCharsmap(t)
	rules := golden.rules()
	if len(rules) < 1000 {
		t.Fatalf("the golden charsmap has %d rules", len(rules))
	}
	rapid.Check(t, func(t *rapid.T) {
		if bad := compareCharsmap(golden, rules, oddText().Draw(t, "text")); bad != "" {
			t.Fatal(bad)
		}
		few := rapid.MapOfN(rapid.StringMatching("[ab\u0301\r\n\u00e9\u1100]{1,3}"), rapid.StringMatching("[xy\u4e2d]{0,3}"), 0, 8).Draw(t, "rules")
		m, err := parseCharsmap(buildCharsmap(few))
		if err != nil {
			t.Fatal(err)
		}
		if bad := compareCharsmap(m, few, rapid.StringMatching("[abc\u0301\r\n\u00e9\u1100\u1161]{0,12}").Draw(t, "text")); bad != "" {
			t.Fatal(bad)
		}
	})
}

func FuzzBPE(f *testing.F) {
	_, models := goldenModels[*bpe](f)
	words := newSlowWords()
	for _, s := range odd {
		f.Add(s + " it's  5\n" + s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range models {
			if bad := compareBPE(m, words, text); bad != "" {
				t.Errorf("%+q: %s", text, bad)
			}
		}
	})
}

func FuzzUnigram(f *testing.F) {
	toks, models := goldenModels[*unigram](f)
	for _, s := range odd {
		f.Add(s + "  \u2581the\n" + s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i, m := range models {
			if bad := compareUnigram(m, modelIDs(toks[i], m), text); bad != "" {
				t.Errorf("%+q: %s", text, bad)
			}
		}
	})
}

func FuzzNormaliser(f *testing.F) {
	golden := goldenCharsmap(f)
	rules := golden.rules()
	for _, s := range odd {
		f.Add("\x01" + s + "\u0301\r\n" + s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if bad := compareCharsmap(golden, rules, text); bad != "" {
			t.Errorf("%+q: %s", text, bad)
		}
	})
}

// FuzzFamilies encodes with all golden tokenizers.
func FuzzFamilies(f *testing.F) {
	var toks []*Tokenizer
	for _, dir := range goldentest.Cases(f, "tokenizer.json", "tokenizers") {
		toks = append(toks, load(f, dir))
	}
	for _, s := range odd {
		f.Add(s, "x"+s+" <mask>")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for i, tok := range toks {
			e := tok.Encode(a)
			if bad := checkPlaces(tok, a, e); bad != "" {
				t.Errorf("tokenizer %d, %+q: %s", i, a, bad)
			}
			ids, err := tok.EncodeInput(Input{A: a}, Options{IDsOnly: true})
			if err != nil || !slices.Equal(ids.IDs, e.IDs) || ids.Offsets != nil {
				t.Errorf("tokenizer %d, %+q: without places %v, %v", i, a, ids.IDs, err)
			}
			if e, err := tok.EncodeInput(Input{a, b}, Options{MaxLength: 12, Pad: true}); err != nil || len(e.IDs) != 12 {
				t.Errorf("tokenizer %d, %+q, %+q: %d tokens, %v", i, a, b, len(e.IDs), err)
			}
		}
	})
}

// checkPlaces reports what no tokenizer's encoding of a text may break.
func checkPlaces(tok *Tokenizer, text string, e Encoding) string {
	runes := utf8.RuneCountInString(text)
	for i, id := range e.IDs {
		at := e.Offsets[i]
		if id < 0 || int(id) >= tok.VocabSize() || at[0] < 0 || at[1] < at[0] || at[1] > runes {
			return fmt.Sprintf("token %d is %d at %v of %d", i, id, at, runes)
		}
	}
	return ""
}

func FuzzCharsmap(f *testing.F) {
	f.Add(buildCharsmap(map[string]string{"a": "b", "é": ""}), "aé")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		m, err := parseCharsmap(data)
		if err != nil {
			return
		}
		var n normalized
		n.load(text, 0)
		m.apply(&n)
		if len(n.text) != len(n.align) {
			t.Errorf("%d bytes, %d origins", len(n.text), len(n.align))
		}
	})
}

func FuzzRawBPE(f *testing.F) {
	f.Add([]byte(`{"<s>": 0, "</s>": 1, "a": 2, "b": 3, "ab": 4}`), []byte("#version: 0.2\na b\n"), "ab c")
	f.Fuzz(func(t *testing.T, vocab, merges []byte, text string) {
		tok, err := fromVocabJSON(vocab, merges, config{})
		if err != nil {
			return
		}
		if bad := checkPlaces(tok, text, tok.Encode(text)); bad != "" {
			t.Error(bad)
		}
	})
}

func FuzzSPModel(f *testing.F) {
	f.Add(smallModel(), "ab c")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		for _, fam := range []*family{&albertFamily, &debertaFamily} {
			tok, err := fromSPModel(data, fam, config{})
			if err != nil {
				continue
			}
			if bad := checkPlaces(tok, text, tok.Encode(text)); bad != "" {
				t.Error(bad)
			}
		}
	})
}

// TestShortReadsOfGoldenFiles cuts the golden files short: whatever comes of it, nothing
// panics, and an error names the file.
func TestShortReadsOfGoldenFiles(t *testing.T) {
	for _, dir := range goldentest.Cases(t, "tokenizer.json", "tokenizers") {
		for _, name := range append([]string{"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}, rawFiles...) {
			t.Run(filepath.Base(dir)+"/"+name, func(t *testing.T) { shortReads(t, dir, name) })
		}
	}
}
