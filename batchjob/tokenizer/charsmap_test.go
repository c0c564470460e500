package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// buildCharsmap returns the bytes of a precompiled charsmap of rules, the naive way: every
// node of the trie has 256 units of its own.
func buildCharsmap(rules map[string]string) []byte {
	type trieNode struct {
		children map[byte]*trieNode
		value    *string
	}
	root := &trieNode{children: map[byte]*trieNode{}}
	for _, key := range slices.Sorted(maps.Keys(rules)) {
		n := root
		for _, b := range []byte(key) {
			if n.children[b] == nil {
				n.children[b] = &trieNode{children: map[byte]*trieNode{}}
			}
			n = n.children[b]
		}
		value := rules[key]
		n.value = &value
	}
	var units []uint32
	var texts []byte
	base := func() uint32 {
		units = append(units, make([]uint32, 256)...)
		return uint32(len(units) - 256)
	}
	var place func(n *trieNode, at uint32)
	place = func(n *trieNode, at uint32) {
		for _, b := range slices.Sorted(maps.Keys(n.children)) {
			child, below, unit := n.children[b], base(), at^uint32(b)
			units[unit] = (unit^below)<<10 | uint32(b)
			if child.value != nil {
				units[unit] |= 1 << 8
				units[below] = 1<<31 | uint32(len(texts))
				texts = append(append(texts, *child.value...), 0)
			}
			place(child, below)
		}
	}
	base()
	at := base()
	units[0] = at << 10
	place(root, at)
	data := binary.LittleEndian.AppendUint32(nil, uint32(4*len(units)))
	for _, u := range units {
		data = binary.LittleEndian.AppendUint32(data, u)
	}
	return append(data, texts...)
}

func mustCharsmap(t testing.TB, data []byte) *charsmap {
	t.Helper()
	m, err := parseCharsmap(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestFamiliesCharacters hashes what normalisers and byte-level words make of every Unicode
// scalar value of a plane that has characters, and compares with the reference library's hash; see testdata/families.py.
func TestFamiliesCharacters(t *testing.T) {
	if testing.Short() {
		t.Skip("a few seconds")
	}
	want, err := os.ReadFile("testdata/families.sha256")
	if err != nil {
		t.Fatal(err)
	}
	golden := load(t, filepath.Join("..", "..", "tests", "golden", "tokenizers", "deberta-v3")).model.(*unigram)
	var precompiled step
	for _, s := range golden.stepper {
		if m, ok := s.(*charsmap); ok {
			precompiled = m
		}
	}
	rules := map[string]string{}
	for _, c := range "a\u00a9\u1161\u11a8\uac00\u0915\u0600" {
		rules[string(c)] = "X"
	}
	probe := mustCharsmap(t, buildCharsmap(rules))
	h := sha256.New()
	var n normalized
	put := func(s step, text string) {
		n.load(text, 0)
		s.apply(&n)
		_, _ = h.Write(append(n.text, '\t')) // a hash never fails
	}
	var line bytes.Buffer
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) || 0x33500 <= r && r < 0xe0000 || 0xe0200 <= r {
			continue
		}
		c := string(r)
		put(precompiled, "a"+c+"\u0301")
		put(decomposeStep{}, c)
		for _, text := range []string{
			"a" + c, c + "a\u0301", c + "\u200d\u00a9\u0301", "\u00a9" + c + "\u200d\u00a9\u0301", c + "\u1161\u0301",
			c + "\u11a8\u0301", c + "\uac00\u0301", c + "\u094d\u0915\u0301", "\u0915" + c + "\u0915\u0301",
			"\u0915\u094d" + c + "\u0915\u0301", "\u0600" + c,
		} {
			put(probe, text)
		}
		text := "a" + c + "1" + c + "!"
		line.Reset()
		for at, runes := 0, 0; at < len(text); {
			end := at + byteLevelWord([]byte(text[at:]))
			next := runes + utf8.RuneCountInString(text[at:end])
			fmt.Fprintf(&line, "%d-%d\t", runes, next)
			at, runes = end, next
		}
		_, _ = h.Write([]byte(strings.TrimSuffix(line.String(), "\t") + "\n"))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != string(bytes.TrimSpace(want)) {
		t.Errorf("the characters' hash is %s, the reference's %s", got, want)
	}
}
