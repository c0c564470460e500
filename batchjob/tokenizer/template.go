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

// xlnetTemplates are A <sep> <cls> and A <sep> B <sep> <cls>, with type 2 for the last token.
func xlnetTemplates(cls, sep int32) (single, pair template) {
	end := templatePart{sequence: -1, ids: []int32{cls}, typeID: 2}
	single = template{{sequence: 0}, {sequence: -1, ids: []int32{sep}}, end}
	pair = template{{sequence: 0}, {sequence: -1, ids: []int32{sep}}, {sequence: 1, typeID: 1},
		{sequence: -1, ids: []int32{sep}, typeID: 1}, end}
	return single, pair
}

// robertaTemplates are <s> A </s> and <s> A </s> </s> B </s>, with type 0 everywhere.
func robertaTemplates(cls, sep int32) (single, pair template) {
	single = template{{sequence: -1, ids: []int32{cls}}, {sequence: 0}, {sequence: -1, ids: []int32{sep}}}
	pair = append(append(template{}, single...),
		templatePart{sequence: -1, ids: []int32{sep}}, templatePart{sequence: 1}, templatePart{sequence: -1, ids: []int32{sep}})
	return single, pair
}
