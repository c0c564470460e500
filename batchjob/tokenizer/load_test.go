package tokenizer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const minimalJSON = `{"added_tokens": [{"id": 1, "content": "[MASK]", "special": true}, {"id": 9, "content": "sad face", "normalized": true}],
	"normalizer": {"type": "BertNormalizer", "lowercase": true},
	"pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null,
	"model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {"[UNK]": 0, "[MASK]": 1, "a": 2, "##b": 4}}}`

// folder writes files and returns where they are.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTokenizerJSONWithoutTemplate(t *testing.T) {
	tok := load(t, folder(t, map[string]string{"tokenizer.json": minimalJSON}))
	got, err := tok.EncodeInput(Input{A: "Ab[MASK] Sad FACE!", B: "a"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := Encoding{
		IDs: []int32{2, 4, 1, 9, 0, 2}, TypeIDs: []int32{0, 0, 0, 0, 0, 1}, Mask: []int32{1, 1, 1, 1, 1, 1},
		Offsets: [][2]int{{0, 1}, {1, 2}, {2, 8}, {9, 17}, {17, 18}, {0, 1}},
		Tokens:  []string{"a", "##b", "[MASK]", "sad face", "[UNK]", "a"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if tok.VocabSize() != 10 || tok.pad >= 0 { // ids 3 and 5 to 8 are nobody's
		t.Errorf("%d ids, %d for padding", tok.VocabSize(), tok.pad)
	}
}

// TestConfigOverrides: tokenizer_config.json's switches win over tokenizer.json's, and
// its added tokens join.
func TestConfigOverrides(t *testing.T) {
	dir := folder(t, map[string]string{
		"tokenizer.json":          minimalJSON,
		"special_tokens_map.json": `{"pad_token": {"content": "a", "lstrip": false}}`,
		"tokenizer_config.json": `{"do_lower_case": false, "strip_accents": null, "tokenize_chinese_chars": false,
			"added_tokens_decoder": {"5": {"content": "<url>", "normalized": false}}}`,
	})
	tok := load(t, dir)
	got := tok.Encode("A<url>a")
	if d := cmp.Diff([]string{"[UNK]", "<url>", "a"}, got.Tokens); d != "" {
		t.Errorf("tokens (-want +got):\n%s", d)
	}
	if tok.pad != 2 {
		t.Errorf("padding is %d", tok.pad)
	}
	accents := load(t, folder(t, map[string]string{
		"vocab.txt":             strings.Join(append(SpecialTokens(), "é", "e", "<q>"), "\r\n") + "\r\n",
		"tokenizer_config.json": `{"strip_accents": false, "additional_special_tokens": ["<q>", {"content": "<r>"}]}`,
	}))
	if d := cmp.Diff([]string{"[CLS]", "é", "<q>", "[SEP]"}, accents.Encode("É<q>").Tokens); d != "" {
		t.Errorf("tokens (-want +got):\n%s", d)
	}
}

func TestLoadErrors(t *testing.T) {
	vocab := strings.Join(SpecialTokens(), "\n")
	with := func(old, new string) map[string]string {
		changed := strings.Replace(minimalJSON, old, new, 1)
		if changed == minimalJSON {
			t.Fatalf("%q is not in the JSON", old)
		}
		return map[string]string{"tokenizer.json": changed}
	}
	tests := map[string]struct {
		files map[string]string
		want  string // in the error
		is    error
	}{
		"nothing":            {nil, "holds neither tokenizer.json nor vocab.txt, vocab.json with merges.txt, spiece.model or spm.model", fs.ErrNotExist},
		"no JSON":            {map[string]string{"tokenizer.json": "{"}, "tokenizer.json: it is not a tokenizer's JSON", nil},
		"another model":      {with("WordPiece", "WordLevel"), `model type "WordLevel"`, ErrNotImplemented},
		"another normalizer": {with("BertNormalizer", "NFC"), "normalizer is not implemented", ErrNotImplemented},
		"no pre-tokenizer":   {with("BertPreTokenizer", "Metaspace"), "pre_tokenizer is not implemented", ErrNotImplemented},
		"post-processor":     {with(`"post_processor": null`, `"post_processor": {"type": "ByteLevel"}`), `type "ByteLevel"`, ErrNotImplemented},
		"bad BertProcessing": {with(`"post_processor": null`, `"post_processor": {"type": "BertProcessing", "sep": 3}`), "not a list", nil},
		"id of BertProcessing": {with(`"post_processor": null`, `"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 77], "cls": ["[CLS]", 1]}`),
			"has id 77, the vocabulary has 10 ids", nil},
		"sequence twice": {with(`"post_processor": null`, `"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"Sequence": {"id": "A"}}]}`),
			"A stands 2 times", nil},
		"no pair template": {with(`"post_processor": null`, `"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}]}`),
			"post_processor.pair", nil},
		"unknown special": {with(`"post_processor": null`, `"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "X"}}]}`),
			`special token "X" has no ids`, nil},
		"empty part": {with(`"post_processor": null`, `"post_processor": {"type": "TemplateProcessing", "single": [{}]}`),
			"part 1 is neither", nil},
		"truncation":       {with(`"post_processor"`, `"truncation": {"direction": "Up"}, "post_processor"`), `truncation.direction is "Up"`, nil},
		"vocabulary list":  {with(`{"[UNK]": 0, "[MASK]": 1, "a": 2, "##b": 4}`, `["a"]`), "model.vocab is not an object", nil},
		"no unknown token": {with(`"[UNK]": 0, "[MASK]"`, `"[MASK]"`), `no "[UNK]"`, nil},
		"negative id":      {with(`"a": 2`, `"a": -2`), "id -2", nil},
		"huge id":          {with(`"a": 2`, `"a": 2000000000`), "id 2000000000", nil},
		"long token":       {with(`"a": 2`, `"`+strings.Repeat("a", 1<<16+1)+`": 2`), "token with id 2 has 65537 bytes, at most 65536", nil},
		"shared id":        {with(`"a": 2`, `"a": 4`), "two tokens with id 4", nil},
		"added elsewhere":  {with(`"id": 1,`, `"id": 2,`), `added token "[MASK]" has id 2, but 1`, nil},
		"added on another": {with(`"id": 9,`, `"id": 4,`), `"##b"'s`, nil},
		"added huge":       {with(`"id": 9,`, `"id": 2000000000,`), "id 2000000000", nil},
		"strip_accents": {map[string]string{"vocab.txt": vocab, "tokenizer_config.json": `{"strip_accents": 1}`},
			"strip_accents", nil},
		"strip_accents with JSON": {map[string]string{"tokenizer.json": minimalJSON, "tokenizer_config.json": `{"strip_accents": 1}`},
			"strip_accents", nil},
		"middle": {map[string]string{"vocab.txt": vocab, "tokenizer_config.json": `{"padding_side": "middle"}`}, `padding_side is "middle"`, nil},
		"truncation side": {map[string]string{"vocab.txt": vocab, "tokenizer_config.json": `{"truncation_side": "up"}`},
			`truncation_side is "up"`, nil},
		"broken config":   {map[string]string{"vocab.txt": vocab, "tokenizer_config.json": `{`}, "tokenizer_config.json", nil},
		"token a number":  {map[string]string{"vocab.txt": vocab, "special_tokens_map.json": `{"pad_token": 3}`}, "neither a string", nil},
		"empty vocab.txt": {map[string]string{"vocab.txt": ""}, "the file is empty", nil},
		"not UTF-8":       {map[string]string{"vocab.txt": vocab + "\n\xff"}, "line 6 is not UTF-8", nil},
		"a line twice":    {map[string]string{"vocab.txt": vocab + "\na\n\na"}, "line 8 has the same token as line 6", nil},
		"no [UNK]":        {map[string]string{"vocab.txt": "[CLS]\n[SEP]\n"}, `no "[UNK]"`, nil},
		"no [SEP]":        {map[string]string{"vocab.txt": "[CLS]\n[UNK]\n"}, `no "[SEP]"`, nil},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Load(folder(t, c.files))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "load tokenizer: ") {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v is not %v", err, c.is)
			}
		})
	}
	for _, name := range []string{"tokenizer.json", "vocab.txt", "tokenizer_config.json"} {
		dir := folder(t, nil)
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a folder named %s: %v", name, err)
		}
	}
}
