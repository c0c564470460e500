package tokenizer

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/tests/goldentest"
)

// TestTrainByHand: the words are hug ×3, bug ×2, hugs ×1. Of the first pairs, ##u ##g
// occurs 6 times, h ##u 4, b ##u 2, ##g ##s once. After ##ug: h ##ug 4, b ##ug 2,
// ##ug ##s 1. After hug: hug ##s 1. So ##ug, hug, bug, and hugs only if once is enough.
func TestTrainByHand(t *testing.T) {
	texts := []string{"hug bug Hug", "HUGS, hug", "bug,"}
	base := append(SpecialTokens(), ",", "b", "g", "h", "s", "u", "##g", "##s", "##u")
	for _, c := range []struct {
		size, frequency int
		want            []string
	}{
		{14, 0, nil},
		{15, 0, []string{"##ug"}},
		{99, 0, []string{"##ug", "hug", "bug"}},
		{99, 1, []string{"##ug", "hug", "bug", "hugs"}},
	} {
		got, err := TrainWordPiece(texts, c.size, TrainOptions{MinFrequency: c.frequency})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(append(append([]string{}, base...), c.want...), got); d != "" {
			t.Errorf("size %d, frequency %d (-want +got):\n%s", c.size, c.frequency, d)
		}
	}
}

func TestTrainOptions(t *testing.T) {
	got, err := TrainWordPiece([]string{"Éa aa b B"}, 40, TrainOptions{Cased: true, AlphabetLimit: 2})
	if err != nil {
		t.Fatal(err)
	}
	// a occurs three times, b, B and É once each: the lowest code point of those, B, stays.
	want := append(SpecialTokens(), "B", "a", "##a")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for name, c := range map[string]struct {
		texts []string
		size  int
		o     TrainOptions
	}{
		"the texts hold no words": {[]string{"", " \n"}, 100, TrainOptions{}},
		"size 6 is too small, special tokens and characters alone are 8": {[]string{"ab"}, 6, TrainOptions{}},
		"must not be below 0": {[]string{"a"}, 100, TrainOptions{AlphabetLimit: -1}},
	} {
		if _, err := TrainWordPiece(c.texts, c.size, c.o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
}

func TestTrainDoesNotDependOnOrder(t *testing.T) {
	var texts []string
	for _, c := range readCases(t, filepath.Join(wordPieceFamilies(t)[0], "golden_single.jsonl")) {
		texts = append(texts, c.Text)
	}
	want, err := TrainWordPiece(texts, 900, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		rng.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
		got, err := TrainWordPiece(texts, 900, TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-want +got):\n%s", d)
		}
	}
}

// TestTrainingAgainstTheReference trains on the corpus that our golden vocabularies were
// trained on; other golden data may come without one.
// The reference numbers the characters in an order that changes from run to run, so this
// starts from the file's own characters; every merge after them must be the same.
func TestTrainingAgainstTheReference(t *testing.T) {
	t.Setenv(goldentest.Env, filepath.Join("..", "..", "tests", "golden"))
	corpus, err := os.ReadFile(filepath.Join(goldentest.Dir(t, "tokenizers"), "corpus.txt"))
	if err != nil {
		t.Fatal(err)
	}
	texts := strings.Split(string(corpus), "\n")
	for _, dir := range wordPieceFamilies(t) {
		data, err := os.ReadFile(filepath.Join(dir, "vocab.txt"))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		initial := 0
		for initial < len(want) && isInitial(want[initial]) {
			initial++
		}
		words, counts := countWords(texts, load(t, dir).model.(*bertModel).normalizer)
		m := newMerger(words, counts, want[:initial])
		m.run(len(want), 2)
		if d := cmp.Diff(want, m.vocab); d != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(dir), d)
		}
	}
}

// isInitial reports special tokens and single characters.
func isInitial(token string) bool {
	return strings.HasPrefix(token, "[") && strings.HasSuffix(token, "]") ||
		utf8.RuneCountInString(strings.TrimPrefix(token, "##")) == 1
}
