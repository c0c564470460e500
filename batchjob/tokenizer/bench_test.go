package tokenizer

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// benchmarkTexts are the golden strings joined to the length of a post, 10,000 of them
// that all differ.
func benchmarkTexts(tb testing.TB) (*Tokenizer, []string) {
	tb.Helper()
	dir := wordPieceFamilies(tb)[0]
	var lines []string
	for _, c := range readCases(tb, dir+"/golden_pairs.jsonl") {
		lines = append(lines, c.A, c.B)
	}
	texts := make([]string, 10_000)
	for i := range texts {
		texts[i] = fmt.Sprintf("post %d: %s", i, strings.Join([]string{
			lines[i%len(lines)], lines[i*7%len(lines)], lines[i*31%len(lines)]}, " "))
	}
	return load(tb, dir), texts
}

func size(texts []string) int64 {
	n := 0
	for _, t := range texts {
		n += len(t)
	}
	return int64(n)
}

func BenchmarkEncode(b *testing.B) {
	_, texts := benchmarkTexts(b)
	for _, dir := range goldentest.Cases(b, "tokenizer.json", "tokenizers") {
		tok := load(b, dir)
		b.Run(filepath.Base(dir), func(b *testing.B) {
			b.SetBytes(size(texts) / int64(len(texts)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				tok.Encode(texts[i%len(texts)])
			}
		})
	}
}

func BenchmarkEncodeBatch(b *testing.B) {
	tok, texts := benchmarkTexts(b)
	inputs := make([]Input, len(texts))
	for i, t := range texts {
		inputs[i] = Input{A: "Depressed mood most of the day, nearly every day.", B: t}
	}
	b.SetBytes(size(texts))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tok.EncodeBatch(inputs, Options{MaxLength: 256, IDsOnly: true}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrainWordPiece(b *testing.B) {
	_, texts := benchmarkTexts(b)
	b.SetBytes(size(texts[:1000]))
	for b.Loop() {
		if _, err := TrainWordPiece(texts[:1000], 1200, TrainOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
