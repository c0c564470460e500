package tokenizer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// charsmap is SentencePiece's precompiled normaliser: strings of characters and what each
// becomes. Its lookup is the double array of Darts-clone: unit 0 is the root, the child of a
// unit by byte c is its own place XOR its offset XOR c, if that unit's label is c.
type charsmap struct {
	units []uint32
	texts string // the replacements, each ended by a zero byte

	// ascii holds what every ASCII character becomes, "" with plain true for itself.
	ascii [utf8.RuneSelf]asciiRule
}

type asciiRule struct {
	plain bool // no rule begins and ends with this character
	to    string
}

// parseCharsmap reads the bytes of precompiled_charsmap: the size of the double array in
// bytes, the array, the replacements; little-endian.
func parseCharsmap(data []byte) (*charsmap, error) {
	if len(data) < 4 {
		return nil, fmt.Errorf("the precompiled charsmap has %d bytes, at least 4 are needed", len(data))
	}
	size := int64(binary.LittleEndian.Uint32(data))
	if size == 0 || size%4 != 0 || size > int64(len(data)-4) {
		return nil, fmt.Errorf("the precompiled charsmap's trie has %d bytes of the %d that follow, allowed are multiples of 4 above 0", size, len(data)-4)
	}
	m := &charsmap{units: make([]uint32, size/4), texts: string(data[4+size:])}
	for i := range m.units {
		m.units[i] = binary.LittleEndian.Uint32(data[4+4*i:])
	}
	if !utf8.ValidString(m.texts) {
		return nil, errors.New("the precompiled charsmap's replacements are not UTF-8")
	}
	// A leaf holds the place of its replacement, which must be the start of a character. What
	// else a unit holds is only followed within the array.
	for i, u := range m.units {
		place := int64(u &^ (1 << 31))
		if u>>31 == 1 && (place > int64(len(m.texts)) || place < int64(len(m.texts)) && !utf8.RuneStart(m.texts[place])) {
			return nil, fmt.Errorf("the precompiled charsmap's unit %d names byte %d of %d, which begins no replacement", i, place, len(m.texts))
		}
	}
	for c := range m.ascii {
		to, ok := m.lookup([]byte{byte(c)})
		m.ascii[c] = asciiRule{plain: !ok && c != '\r', to: to}
	}
	return m, nil
}

// lookup returns the replacement of the shortest rule that chunk begins with: the reference
// takes the first match, not the longest.
func (m *charsmap) lookup(chunk []byte) (string, bool) {
	at := unitOffset(m.units[0])
	for _, c := range chunk {
		if c == 0 {
			return "", false
		}
		at ^= uint32(c)
		if int64(at) >= int64(len(m.units)) {
			return "", false
		}
		u := m.units[at]
		if u&(1<<31|0xff) != uint32(c) {
			return "", false
		}
		at ^= unitOffset(u)
		if u>>8&1 == 1 {
			if int64(at) >= int64(len(m.units)) {
				return "", false
			}
			return m.text(m.units[at] &^ (1 << 31))
		}
	}
	return "", false
}

// text returns the replacement at a place.
func (m *charsmap) text(place uint32) (string, bool) {
	if int64(place) >= int64(len(m.texts)) {
		return "", int64(place) == int64(len(m.texts))
	}
	end := int(place)
	for end < len(m.texts) && m.texts[end] != 0 {
		end++
	}
	return m.texts[place:end], true
}

func unitOffset(u uint32) uint32 { return u >> 10 << (u & (1 << 9) >> 6) }

// plain returns how many bytes text begins with that no rule touches and that are no part
// of a longer grapheme cluster: ASCII characters with ASCII after them.
func (m *charsmap) plain(text []byte) int {
	n := 0
	for n < len(text) && text[n] < utf8.RuneSelf && m.ascii[text[n]].plain {
		n++
	}
	if n < len(text) && text[n] >= utf8.RuneSelf && n > 0 {
		n--
	}
	return n
}

// maxCluster is how long a grapheme cluster that is replaced as a whole may be, in bytes.
const maxCluster = 5

// apply replaces grapheme clusters of at most maxCluster bytes by the rule that they begin
// with, characters of other clusters by their own rule.
func (m *charsmap) apply(n *normalized) {
	start := m.plain(n.text)
	if start == len(n.text) {
		return
	}
	r := n.rewrite(start)
	for at := start; at < len(n.text); {
		if k := m.plain(n.text[at:]); k > 0 {
			r.keep(at, at+k)
			at += k
			continue
		}
		size := graphemeLength(n.text[at:])
		if size <= maxCluster {
			if to, ok := m.lookup(n.text[at : at+size]); ok {
				r.replace(to, utf8.RuneCount(n.text[at:at+size]))
				at += size
				continue
			}
		}
		for end := at + size; at < end; {
			_, size := utf8.DecodeRune(n.text[at:])
			if to, ok := m.lookup(n.text[at : at+size]); ok {
				r.replace(to, 1)
			} else {
				r.keep(at, at+size)
			}
			at += size
		}
	}
	r.done()
}
