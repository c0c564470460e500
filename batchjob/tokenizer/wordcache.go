package tokenizer

import (
	"hash/maphash"
	"sync/atomic"
)

const (
	cacheSlots   = 1 << 15
	cacheLongest = 40 // bytes of a word that is kept; longer ones seldom come again
)

// wordCache remembers how words were cut: a few thousand words are most of any text. A word
// has one place, which the last word that came there holds, so the memory is bounded. It is
// safe for concurrent use without locks.
type wordCache struct {
	seed  maphash.Seed
	slots []atomic.Pointer[cachedWord]
}

// cachedWord never changes.
type cachedWord struct {
	word  string
	parts []part
}

func newWordCache() *wordCache {
	return &wordCache{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[cachedWord], cacheSlots)}
}

// slot returns the word's place, nil when it is too long.
func (c *wordCache) slot(word []byte) *atomic.Pointer[cachedWord] {
	if len(word) > cacheLongest {
		return nil
	}
	return &c.slots[maphash.Bytes(c.seed, word)%cacheSlots]
}

// parts returns the parts of word: those that are kept, or what cut leaves in w, which is
// kept from then on. The result is valid until w is used again.
func (c *wordCache) parts(w *wordWork, word []byte, cut func(w *wordWork, word []byte)) []part {
	slot := c.slot(word)
	if slot == nil {
		cut(w, word)
		return w.parts
	}
	if known := slot.Load(); known != nil && known.word == string(word) {
		return known.parts
	}
	cut(w, word)
	slot.Store(&cachedWord{string(word), append([]part(nil), w.parts...)})
	return w.parts
}
