package tokenizer

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// shortReads loads a copy of a folder with one file cut at many places.
func shortReads(t *testing.T, dir, name string) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	copied := dir
	if name == "tokenizer.json" {
		copied = t.TempDir()
	} else {
		copied = withoutJSON(t, dir)
	}
	for i := range 12 {
		writeFile(t, filepath.Join(copied, name), data[:len(data)*i/12])
		_, err := Load(copied)
		if err == nil {
			if strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".model") {
				t.Errorf("cut at %d of %d bytes it loads", len(data)*i/12, len(data))
			}
			continue
		}
		if !strings.Contains(err.Error(), filepath.Join(copied, name)) && !strings.Contains(err.Error(), "tokenizer_config.json") {
			t.Errorf("the error does not name the file: %v", err)
		}
	}
}

// message is a protocol buffer of fields as they come.
type message []byte

func (m message) text(number protowire.Number, v string) message {
	return protowire.AppendString(protowire.AppendTag(m, number, protowire.BytesType), v)
}

func (m message) varint(number protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, number, protowire.VarintType), v)
}

func (m message) float(number protowire.Number, v float32) message {
	return protowire.AppendFixed32(protowire.AppendTag(m, number, protowire.Fixed32Type), math.Float32bits(v))
}

func piece(text string, score float32, kind uint64) string {
	return string(message(nil).text(1, text).float(2, score).varint(3, kind))
}

// smallModel is a SentencePiece model with ALBERT's and DeBERTa's special tokens.
func smallModel(more ...string) []byte {
	var m message
	for _, name := range []string{"<unk>", "[UNK]", "[CLS]", "[SEP]", "<pad>", "[PAD]"} {
		m = m.text(1, piece(name, 0, map[bool]uint64{true: 2, false: spControl}[name == "<unk>"]))
	}
	m = m.text(1, piece("▁a", -1, 1)).text(1, piece("b", -2, 1)).text(1, piece("1,", -2, 1)).text(1, piece("(", 0, spUserDefined))
	for _, p := range more {
		m = m.text(1, p)
	}
	m = m.text(2, string(message(nil).varint(3, spUnigram).varint(35, 1).varint(40, 0)))
	return m.text(3, string(message(nil).text(1, "nfkc").text(2, string(buildCharsmap(map[string]string{"ª": "a"}))))).text(5, "")
}

func TestSmallModel(t *testing.T) {
	tok, err := fromSPModel(smallModel(), &albertFamily, config{})
	if err != nil {
		t.Fatal(err)
	}
	e := tok.Encode("ªB(1,")
	// The last word is ▁1, of which only "1," is a piece, with −2 − 100 the lowest score; a
	// character that is none has −112, so it is used.
	if got := strings.Join(e.Tokens, " "); got != "[CLS] ▁a b ( <unk> 1, [SEP]" {
		t.Errorf("tokens %s", got)
	}
	if size := tok.VocabSize(); size != 11 { // [MASK] is put behind the ten pieces
		t.Errorf("%d ids", size)
	}
}

func TestCorruptModels(t *testing.T) {
	good := slices.Clip(smallModel())
	trainer := func(m message) []byte {
		return message(nil).text(1, piece("a", 0, 1)).text(2, string(m)).text(3, "")
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":            {nil, "it has no pieces"},
		"no protobuf":      {[]byte("a text file"), "at byte "},
		"cut":              {good[:len(good)/2], "at byte "},
		"no specs":         {message(nil).text(1, piece("a", 0, 1)), "without its trainer_spec or normalizer_spec"},
		"BPE":              {trainer(message(nil).varint(3, 2)), "model_type 2 is not implemented yet"},
		"unknown":          {trainer(message(nil).varint(40, 7)), "the id of unknown text is 7, the vocabulary has 1 pieces"},
		"huge unknown":     {trainer(message(nil).varint(40, 1<<40)), "the id of unknown text is 2147483647"},
		"bad trainer":      {trainer(message(nil).varint(3, 1)[:1]), "at byte "},
		"twice":            {smallModel(piece("b", 0, 1)), "piece 10 is piece 7 once more"},
		"not UTF-8":        {smallModel(piece("\xff", 0, 1)), "piece 10 is not UTF-8"},
		"no number":        {smallModel(piece("c", float32(math.NaN()), 1)), "piece 10 has the score NaN"},
		"infinite":         {smallModel(piece("c", float32(math.Inf(1)), 1)), "piece 10 has the score +Inf"},
		"piece cut":        {message(nil).text(1, "\x0a\x09a"), "at byte "},
		"charsmap":         {message(good).text(3, string(message(nil).text(2, "abc"))), "normalizer_spec: the precompiled charsmap has 3 bytes"},
		"charsmap's trie":  {message(good).text(3, string(message(nil).text(2, "\xff\xff\x00\x00abcd"))), "trie has 65535 bytes of the 4 that follow"},
		"charsmap's texts": {message(good).text(3, string(message(nil).text(2, "\x04\x00\x00\x00\x00\x00\x00\x00\xff"))), "are not UTF-8"},
		"charsmap's leaf":  {message(good).text(3, string(message(nil).text(2, "\x04\x00\x00\x00\x09\x00\x00\x80a"))), "unit 0 names byte 9 of 1"},
	} {
		for file, class := range map[string]string{"spiece.model": "XLNetTokenizerFast", "spm.model": "DebertaV2Tokenizer"} {
			dir := folder(t, map[string]string{file: string(c.data), "tokenizer_config.json": `{"tokenizer_class": "` + class + `"}`})
			_, err := Load(dir)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("%s of %s: error %v, want %q", name, file, err, c.want)
			}
		}
	}
}

func TestRawFileErrors(t *testing.T) {
	const vocab = `{"<s>": 0, "</s>": 1, "<pad>": 2, "a": 3, "b": 4, "ab": 5}`
	model := string(smallModel())
	for name, c := range map[string]struct {
		files map[string]string
		want  string
		is    error
	}{
		"vocab.json":            {map[string]string{"vocab.json": "[", "merges.txt": "\n"}, "vocab.json: it is not an object of tokens and their ids: at byte 1", nil},
		"vocab.json is null":    {map[string]string{"vocab.json": "null", "merges.txt": "\n"}, "vocab.json: it is not an object", nil},
		"vocab.json's ids":      {map[string]string{"vocab.json": `{"a": "b"}`, "merges.txt": "\n"}, "vocab.json: it is not an object of tokens and their ids: at byte 9", nil},
		"merges":                {map[string]string{"vocab.json": vocab, "merges.txt": "#\na b\na\n"}, "merges.txt: line 3 has 1 tokens", nil},
		"merges of one line":    {map[string]string{"vocab.json": vocab, "merges.txt": "#"}, "merges.txt: it has no line feed", nil},
		"merges not UTF-8":      {map[string]string{"vocab.json": vocab, "merges.txt": "#\n\xff a\n"}, "merges.txt: it is not UTF-8", nil},
		"merge of strangers":    {map[string]string{"vocab.json": vocab, "merges.txt": "#\na c\n"}, `merges.txt: merge 1 makes "ac"`, nil},
		"merge twice":           {map[string]string{"vocab.json": vocab, "merges.txt": "#\na b\na b\n"}, "merges.txt: merge 2 is merge 1 once more", nil},
		"id of the decoder":     {map[string]string{"vocab.json": vocab, "merges.txt": "#\n", "tokenizer_config.json": `{"added_tokens_decoder": {"-3": {"content": "x"}}}`}, "tokenizer_config.json: added_tokens_decoder has id -3", nil},
		"two for spiece.model":  {map[string]string{"spiece.model": model}, "spiece.model may be ALBERT's or XLNet's", nil},
		"of the wrong family":   {map[string]string{"spiece.model": model, "config.json": `{"model_type": "roberta"}`}, "holds neither tokenizer.json nor vocab.json with merges.txt, which RoBERTa has", fs.ErrNotExist},
		"config.json":           {map[string]string{"spm.model": model, "config.json": `{`}, "config.json: at byte 1", nil},
		"split_by_punct":        {map[string]string{"spm.model": model, "tokenizer_config.json": `{"split_by_punct": true}`}, "split_by_punct", ErrNotImplemented},
		"decoder of spm.model":  {map[string]string{"spm.model": model, "tokenizer_config.json": `{"added_tokens_decoder": {"99999999": {"content": "x"}}}`}, "added_tokens_decoder has id 99999999", nil},
		"added on another's id": {map[string]string{"spm.model": model, "tokenizer_config.json": `{"added_tokens_decoder": {"7": {"content": "x"}}}`}, `added token "x" has id 7, which is "b"'s`, nil},
	} {
		_, err := Load(folder(t, c.files))
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	for _, name := range []string{"config.json", "spm.model"} {
		dir := folder(t, nil)
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a folder named %s: %v", name, err)
		}
	}
}

func TestModelJSONErrors(t *testing.T) {
	const bpeJSON = `{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}`
	const unigramJSON = `{"pre_tokenizer": {"type": "Metaspace", "replacement": "▁"}, "normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]},
		"model": {"unk_id": 0, "vocab": [["<unk>", 0], ["a", -1.5]]}}`
	const wordPieceJSON = `{"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
		"model": {"max_input_chars_per_word": 100, "unk_token": "u", "vocab": {"u": 0}}}`
	charsmapOf := func(data string) string {
		return `{"type": "Precompiled", "precompiled_charsmap": "` + data + `"}`
	}
	for name, c := range map[string]struct {
		json, old, new string
		want           string
	}{
		"BPE's normalizer":      {bpeJSON, `{"pre`, `{"normalizer": {"type": "NFC"}, "pre`, "normalizer is not implemented yet for BPE"},
		"BPE's pre-tokenizer":   {bpeJSON, "ByteLevel", "Whitespace", "pre_tokenizer is not implemented yet for BPE"},
		"without regex":         {bpeJSON, `"ByteLevel"`, `"ByteLevel", "use_regex": false`, "pre_tokenizer is not implemented yet for BPE"},
		"dropout":               {bpeJSON, `"merges"`, `"dropout": 0.1, "merges"`, "dropout"},
		"BPE's vocab":           {bpeJSON, `{"a": 0, "b": 1, "ab": 2}`, `[]`, "model.vocab is not an object"},
		"merges":                {bpeJSON, `["a b"]`, `{}`, "model.merges is not a list"},
		"merge of three":        {bpeJSON, `["a b"]`, `[["a", "b"], ["a", "b", "c"]]`, "model.merges[1] has 3 tokens"},
		"merge of strangers":    {bpeJSON, `["a b"]`, `["b c"]`, `model: merge 1 makes "bc"`},
		"unknown and few bytes": {bpeJSON, `"merges"`, `"unk_token": "a", "merges"`, "lacks single bytes"},
		"no type":               {bpeJSON, `, "merges": ["a b"]`, ``, `model type "" is not implemented yet`},
		"type of a field":       {bpeJSON, `"merges"`, `"dropout": "x", "merges"`, "at byte "},
		"WordPiece's vocab":     {wordPieceJSON, `{"u": 0}`, `null`, "model.vocab is not an object"},
		"Unigram's vocab":       {unigramJSON, `[["<unk>", 0], ["a", -1.5]]`, `{}`, "model.vocab is not a list"},
		"an entry":              {unigramJSON, `["a", -1.5]`, `["a"]`, "an entry is not a list of a piece and its score"},
		"an entry of nulls":     {unigramJSON, `["a", -1.5]`, `[null, 1]`, "an entry is not a list of a piece and its score"},
		"unk_id":                {unigramJSON, `"unk_id": 0`, `"type": "Unigram"`, "model.unk_id is missing"},
		"unk_id out of range":   {unigramJSON, `"unk_id": 0`, `"unk_id": 2`, "the id of unknown text is 2"},
		"Unigram's pre":         {unigramJSON, `Metaspace`, `ByteLevel`, "pre_tokenizer is not implemented yet for Unigram"},
		"replacement":           {unigramJSON, `"▁"`, `"_"`, `replacement "_" is not implemented yet`},
		"scheme":                {unigramJSON, `"▁"`, `"▁", "prepend_scheme": "first"`, `prepend_scheme "first" is not implemented yet`},
		"normalizer":            {unigramJSON, `Lowercase`, `NFC`, `normalizer.normalizers[0]: type "NFC" is not implemented yet`},
		"NFKD alone":            {unigramJSON, `Lowercase`, `NFKD`, "normalizer.normalizers[0]: NFKD is not implemented yet without StripAccents"},
		"a pattern":             {unigramJSON, `{"type": "Lowercase"}`, `{"type": "Replace", "pattern": {"Regex": "a+"}}`, "normalizer.normalizers[0]: this Replace is not implemented yet"},
		"no charsmap":           {unigramJSON, `{"type": "Lowercase"}`, charsmapOf(""), "precompiled_charsmap is missing"},
		"no base64":             {unigramJSON, `{"type": "Lowercase"}`, charsmapOf("?"), "precompiled_charsmap is not base64"},
		"charsmap":              {unigramJSON, `{"type": "Lowercase"}`, charsmapOf(base64.StdEncoding.EncodeToString([]byte("abcd"))), "normalizer.normalizers[0]: the precompiled charsmap's trie"},
		"nesting": {unigramJSON, `{"type": "Lowercase"}`, strings.Repeat(`{"type": "Sequence", "normalizers": [`, 9) + strings.Repeat(`]}`, 9),
			`type "Sequence" is not implemented yet`},
	} {
		changed := strings.Replace(c.json, c.old, c.new, 1)
		if changed == c.json {
			t.Fatalf("%s: %q is not in the JSON", name, c.old)
		}
		_, err := Load(folder(t, map[string]string{"tokenizer.json": changed}))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "tokenizer.json: ") {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	for _, good := range []string{bpeJSON, unigramJSON, wordPieceJSON} {
		if _, err := Load(folder(t, map[string]string{"tokenizer.json": good})); err != nil {
			t.Error(err)
		}
	}
}
