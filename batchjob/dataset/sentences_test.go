package dataset

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func pieces(text string) []string {
	var list []string
	for _, s := range Sentences(text) {
		list = append(list, text[s.Start:s.End])
	}
	return list
}

func TestSentences(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"stops":         {"I am tired. Are you? Yes! Well… No", []string{"I am tired.", "Are you?", "Yes!", "Well…", "No"}},
		"runs":          {"What?! Really... Yes.", []string{"What?!", "Really...", "Yes."}},
		"lower case":    {"I slept... not much. then I got up.", []string{"I slept... not much. then I got up."}},
		"digits":        {"It costs 3.50 today. 4 of us paid.", []string{"It costs 3.50 today.", "4 of us paid."}},
		"quotes":        {`He said "go." She left. (Late.) Then rain.`, []string{`He said "go."`, "She left.", "(Late.)", "Then rain."}},
		"typographic":   {"“Why?” Nobody knew.", []string{"“Why?”", "Nobody knew."}},
		"abbreviations": {"Dr. Gray and Mr. May, e.g. Tim, came (St. Paul's). Good.", []string{"Dr. Gray and Mr. May, e.g. Tim, came (St. Paul's).", "Good."}},
		"line breaks":   {"one\ntwo\r\n\r\nthree\u2028four", []string{"one", "two", "three", "four"}},
		"no space":      {"I left.Then rain.", []string{"I left.Then rain."}},
		"no words":      {"... !!! — Yes. ;)", []string{"— Yes."}},
		"empty":         {" \n ", nil},
		"other scripts": {"Ça va. Über allem. 一二。三", []string{"Ça va.", "Über allem.", "一二。三"}},
	} {
		if d := cmp.Diff(c.want, pieces(c.text)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Spans are ascending, disjoint, trimmed, hold every letter and digit, and cutting a
// sentence again leaves it whole.
func TestSentencesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkSentences(t, rapid.StringOf(rapid.RuneFrom([]rune("ab Z1.!?…\"')\n\té"))).Draw(t, "text"))
	})
}

func checkSentences(t interface{ Fatalf(string, ...any) }, text string) {
	end := 0
	for _, s := range Sentences(text) {
		if s.Start < end || s.End <= s.Start || s.End > len(text) {
			t.Fatalf("span %v after %d in %d bytes", s, end, len(text))
		}
		piece := text[s.Start:s.End]
		if strings.TrimSpace(piece) != piece {
			t.Fatalf("%q is not trimmed", piece)
		}
		if strings.IndexFunc(text[end:s.Start], wordRune) >= 0 {
			t.Fatalf("%q is in no sentence", text[end:s.Start])
		}
		if again := pieces(piece); len(again) != 1 || again[0] != piece {
			t.Fatalf("%q is cut again into %q", piece, again)
		}
		end = s.End
	}
	if strings.IndexFunc(text[end:], wordRune) >= 0 {
		t.Fatalf("%q is in no sentence", text[end:])
	}
}

func FuzzSentences(f *testing.F) {
	f.Add("I am tired. Are you? (Yes.) \"No.\" Dr. Who...\nthen")
	f.Fuzz(func(t *testing.T, text string) {
		if utf8.ValidString(text) {
			checkSentences(t, text)
		}
	})
}

func TestCover(t *testing.T) {
	text := "I cannot  sleep at all. The bus came late.\nI cannot sleep."
	for name, c := range map[string]struct {
		evidence string
		want     []int
	}{
		"a sentence":        {"The bus came late.", []int{1}},
		"every occurrence":  {"I cannot sleep", []int{0, 2}},
		"across":            {"at all. The bus", []int{0, 1}},
		"across a break":    {"late. I cannot sleep.", []int{1, 2}},
		"white space":       {" cannot\n\tsleep at ", []int{0}},
		"only a stop more":  {"I cannot sleep at all. ", []int{0}},
		"case":              {"the bus", nil},
		"inside a word":     {"leep", nil},
		"half a word":       {"I cannot sle", nil},
		"not there":         {"train", nil},
		"no letters":        {". ", nil},
		"empty":             {"", nil},
		"longer than text":  {text + " more", nil},
		"overlapping finds": {"late", []int{1}},
	} {
		if d := cmp.Diff(c.want, cover(text, c.evidence, Sentences(text))); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Every sentence is found as evidence for itself, whatever its white space.
func TestCoverFindsEverySentence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("abéZ1.!?\" \n"))).Draw(t, "text")
		spans := Sentences(text)
		for i, s := range spans {
			quoted := strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) {
					return '\t'
				}
				return r
			}, text[s.Start:s.End])
			found := false
			for _, j := range cover(text, quoted, spans) {
				found = found || i == j
			}
			// A cut without white space between letters cannot happen: sentences end at
			// white space or at a line break.
			if !found {
				t.Fatalf("sentence %d of %q is not found in its own text", i, text)
			}
		}
	})
}

func FuzzTables(f *testing.F) {
	f.Add(".csv", []byte("post_id,text\np1,\"a\nb\"\n"))
	f.Add(".jsonl", []byte("{\"post_id\":\"p1\",\"text\":\"a\\u0041\"}\n"))
	f.Add(".jsonl", []byte("{\"post_id\":1,\"text\":\"\\ud800\"}"))
	f.Add(".parquet", []byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, extension string, data []byte) {
		decode := decoderFor("posts" + extension)
		if decode == nil {
			return
		}
		tb := &table{file: "posts" + extension, columns: []string{"post_id", "text"}}
		if err := decode(t.Context(), tb, data); err != nil {
			var input *InputError
			if !errors.As(err, &input) || input.File != tb.file {
				t.Fatalf("%v is no InputError of the file", err)
			}
			return
		}
		for _, r := range tb.rows {
			if len(r.cells) != 2 || r.cells[0] == "" || !utf8.ValidString(r.cells[1]) || strings.ContainsRune(r.cells[1], 0) {
				t.Fatalf("row %v was let through", r)
			}
		}
	})
}
