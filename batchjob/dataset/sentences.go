package dataset

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Span is a part of a text: bytes Start to End, without white space at either side.
type Span struct{ Start, End int }

// abbreviations end in a full stop without ending a sentence, in lower case.
var abbreviations = map[string]bool{
	"dr.": true, "mr.": true, "mrs.": true, "ms.": true, "prof.": true, "st.": true,
	"vs.": true, "e.g.": true, "i.e.": true, "approx.": true,
}

// Sentences cuts a text into sentences:
//
//   - A line break ends a sentence.
//   - So does a run of . ! ? … with the quotes and brackets that close after it, when white
//     space follows and the next character is not a lower-case letter, and the run is not
//     the stop of an abbreviation (Dr. Mr. Mrs. Ms. Prof. St. vs. e.g. i.e. approx.).
//   - A piece without a letter or a digit is no sentence.
func Sentences(text string) []Span {
	var spans []Span
	start := 0
	add := func(end int) {
		piece := text[start:end]
		if strings.IndexFunc(piece, wordRune) >= 0 {
			left := len(piece) - len(strings.TrimLeftFunc(piece, unicode.IsSpace))
			spans = append(spans, Span{start + left, start + len(strings.TrimRightFunc(piece, unicode.IsSpace))})
		}
		start = end
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch r {
		case '\n', '\r', '\u2028', '\u2029':
			add(i)
		case '.', '!', '?', '…':
			i += len(text[i:]) - len(strings.TrimLeft(text[i:], ".!?…"))
			stop := i
			i += len(text[i:]) - len(strings.TrimLeft(text[i:], "\"'”’»)]}"))
			rest := strings.TrimLeftFunc(text[i:], unicode.IsSpace)
			next, _ := utf8.DecodeRuneInString(rest)
			if rest == "" || len(rest) < len(text[i:]) && !unicode.IsLower(next) && !abbreviations[lastWord(text[start:stop])] {
				add(i)
			}
		}
	}
	add(len(text))
	return spans
}

// lastWord returns what follows the last white space or opening bracket, in lower case.
func lastWord(s string) string {
	i := strings.LastIndexFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '(' || r == '[' })
	return strings.ToLower(s[i+1:])
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// cover returns the positions of the sentences that share a letter or digit with an
// occurrence of the evidence in the text. Runs of white space count as one space, upper and
// lower case differ, and an occurrence neither begins nor ends inside a word. Every
// occurrence counts.
func cover(text, evidence string, sentences []Span) []int {
	flat, origin := flatten(text)
	want, _ := flatten(evidence)
	if strings.IndexFunc(want, wordRune) < 0 {
		return nil
	}
	hit := make([]bool, len(sentences))
	for from := 0; ; {
		at := strings.Index(flat[from:], want)
		if at < 0 {
			break
		}
		begin := from + at
		end := begin + len(want)
		_, size := utf8.DecodeRuneInString(flat[begin:])
		from = begin + size
		if insideWord(flat, begin) || insideWord(flat, end) {
			continue
		}
		for i, s := range sentences {
			a, b := max(s.Start, origin[begin]), min(s.End, origin[end-1]+1)
			hit[i] = hit[i] || a < b && strings.IndexFunc(text[a:b], wordRune) >= 0
		}
	}
	var covered []int
	for i, h := range hit {
		if h {
			covered = append(covered, i)
		}
	}
	return covered
}

// insideWord reports whether letters or digits stand on both sides of a boundary.
func insideWord(s string, at int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[at:])
	return at > 0 && at < len(s) && wordRune(before) && wordRune(after)
}

// flatten turns runs of white space into single spaces and trims both ends. origin maps
// every byte of the result to its byte in s.
func flatten(s string) (flat string, origin []int) {
	var b strings.Builder
	space := false
	for i, r := range s {
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			origin = append(origin, i-1)
			space = false
		}
		n := utf8.RuneLen(r)
		b.WriteString(s[i : i+n])
		for k := range n {
			origin = append(origin, i+k)
		}
	}
	return b.String(), origin
}
