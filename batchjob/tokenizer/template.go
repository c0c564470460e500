package tokenizer

// template says where special tokens stand around one text or two.
type template []templatePart

// templatePart is a special token or one of the two texts.
type templatePart struct {
	sequence int // 0: the first text, 1: the second, -1: the special tokens ids
	ids      []int32
	typeID   int32
}

// specials is how many special tokens the template adds.
func (t template) specials() int {
	n := 0
	for _, p := range t {
		n += len(p.ids)
	}
	return n
}

// bertTemplates are [CLS] A [SEP] and [CLS] A [SEP] B [SEP] with type 1 for B's part.
func bertTemplates(cls, sep int32) (single, pair template) {
	single = template{{sequence: -1, ids: []int32{cls}}, {sequence: 0}, {sequence: -1, ids: []int32{sep}}}
	pair = append(append(template{}, single...),
		templatePart{sequence: 1, typeID: 1}, templatePart{sequence: -1, ids: []int32{sep}, typeID: 1})
	return single, pair
}
