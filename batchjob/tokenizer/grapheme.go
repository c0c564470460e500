package tokenizer

import (
	"sort"
	"unicode/utf8"
)

// graphemeClass is what a character does to the boundary before and after it.
type graphemeClass uint8

const (
	gOther     graphemeClass = iota
	gControl                 // stands alone, CR LF excepted
	gExtend                  // joins what is before it
	gSpacing                 // joins what is before it, but ends a pictograph's sequence
	gJoiner                  // U+200D
	gPrepend                 // joins what comes after it
	gLead                    // Hangul, as the next four
	gVowel                   //
	gTrail                   //
	gSyllable                // a lead and a vowel
	gClosed                  // a lead, a vowel and a trail
	gPicture                 // an extended pictograph
	gConsonant               // of an Indic script
	gLinker                  // a virama: joins as gExtend does, and may join a consonant to another
)

// graphemeClassOf returns the class of r.
func graphemeClassOf(r rune) graphemeClass {
	switch {
	case r < 0x300:
		switch {
		case r < 0x20, 0x7f <= r && r < 0xa0, r == 0xad:
			return gControl
		case r == 0xa9, r == 0xae:
			return gPicture
		}
		return gOther
	case 0xac00 <= r && r <= 0xd7a3:
		if (r-0xac00)%28 == 0 {
			return gSyllable
		}
		return gClosed
	}
	i := sort.Search(len(graphemeSpans), func(i int) bool { return graphemeSpans[i].last >= r })
	if i < len(graphemeSpans) && graphemeSpans[i].first <= r {
		return graphemeSpans[i].class
	}
	return gOther
}

// graphemeLength returns how many bytes the extended grapheme cluster takes that text, not
// empty and UTF-8, begins with (Unicode Standard Annex 29, rules GB3 to GB11). Pairs of
// regional indicators (GB12) are not joined: whether they are matters only to clusters
// below six bytes, which have none.
func graphemeLength(text []byte) int {
	r, n := utf8.DecodeRune(text)
	if r == '\r' {
		if len(text) > 1 && text[1] == '\n' {
			return 2
		}
		return 1
	}
	before := graphemeClassOf(r)
	if before == gControl {
		return n
	}
	picture := before == gPicture     // a pictograph and nothing but gExtend since
	consonant := before == gConsonant // a consonant and nothing but marks since
	linked := false                   // with a linker among them
	for n < len(text) {
		r, size := utf8.DecodeRune(text[n:])
		class := graphemeClassOf(r)
		switch {
		case class == gControl:
			return n
		case class == gExtend, class == gLinker, class == gJoiner, class == gSpacing:
		case before == gPrepend:
		case joinsHangul(before, class):
		case class == gPicture && before == gJoiner && picture:
		case class == gConsonant && linked:
		default:
			return n
		}
		switch class {
		case gExtend, gJoiner:
			// U+200C parts conjuncts, U+200D does not.
			consonant = consonant && r != 0x200c
			linked = linked && consonant
			picture = picture && (class == gExtend || before != gJoiner)
		case gLinker:
			linked = consonant
		default:
			picture, consonant, linked = class == gPicture, class == gConsonant, false
		}
		before = class
		n += size
	}
	return n
}

// joinsHangul holds rules GB6 to GB8.
func joinsHangul(before, after graphemeClass) bool {
	switch before {
	case gLead:
		return after == gLead || after == gVowel || after == gSyllable || after == gClosed
	case gVowel, gSyllable:
		return after == gVowel || after == gTrail
	case gTrail, gClosed:
		return after == gTrail
	}
	return false
}
