package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteVocabLoadsAgain(t *testing.T) {
	for _, cased := range []bool{false, true} {
		vocab, err := TrainWordPiece([]string{"Éa hug Hug éa 中 !"}, 99, TrainOptions{Cased: cased})
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if err := WriteVocab(dir, vocab, VocabOptions{Cased: cased, MaxLength: 128}); err != nil {
			t.Fatal(err)
		}
		tok := load(t, dir)
		if tok.VocabSize() != len(vocab) {
			t.Errorf("%d ids of %d", tok.VocabSize(), len(vocab))
		}
		got := tok.Encode("ÉA[MASK]")
		want := []string{"[CLS]", "ea", "[MASK]", "[SEP]"} // é and a stand together twice
		if cased {
			want = []string{"[CLS]", "[UNK]", "[MASK]", "[SEP]"} // no capital A inside a word
		}
		if d := cmp.Diff(want, got.Tokens); d != "" {
			t.Errorf("cased %v (-want +got):\n%s", cased, d)
		}
		var c map[string]any
		data, err := os.ReadFile(filepath.Join(dir, "tokenizer_config.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatal(err)
		}
		if c["do_lower_case"] != !cased || c["model_max_length"] != 128.0 || c["tokenizer_class"] != "BertTokenizer" {
			t.Errorf("tokenizer_config.json is %v", c)
		}
	}
}

func TestWriteVocabRefuses(t *testing.T) {
	for want, vocab := range map[string][]string{
		"entry 5":         append(SpecialTokens(), "a\n"),
		"entry 6":         append(SpecialTokens(), "a", "a"),
		"entry 0":         {""},
		"it has no [UNK]": {"[PAD]", "a"},
	} {
		dir := t.TempDir()
		if err := WriteVocab(dir, vocab, VocabOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
	if err := WriteVocab(filepath.Join(t.TempDir(), "missing"), SpecialTokens(), VocabOptions{}); err == nil {
		t.Error("a missing folder is written to")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "special_tokens_map.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteVocab(dir, SpecialTokens(), VocabOptions{}); err == nil {
		t.Error("a folder is overwritten")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
