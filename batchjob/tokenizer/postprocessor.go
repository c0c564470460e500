package tokenizer

import (
	"encoding/json"
	"fmt"
)

// postProcessor is tokenizer.json's description of the special tokens around texts:
// TemplateProcessing, or BertProcessing and RobertaProcessing.
type postProcessor struct {
	Type    string         `json:"type"`
	Single  []templateJSON `json:"single"`
	Pair    []templateJSON `json:"pair"`
	Special map[string]struct {
		IDs []int32 `json:"ids"`
	} `json:"special_tokens"`
	Sep tokenAndID `json:"sep"`
	Cls tokenAndID `json:"cls"`

	Trim   *bool `json:"trim_offsets"`
	Prefix *bool `json:"add_prefix_space"`
}

type templateJSON struct {
	Special *struct {
		ID     string `json:"id"`
		TypeID int32  `json:"type_id"`
	} `json:"SpecialToken"`
	Sequence *struct {
		ID     string `json:"id"`
		TypeID int32  `json:"type_id"`
	} `json:"Sequence"`
}

// tokenAndID is written as a list of the token and its id.
type tokenAndID struct {
	id int32
}

// UnmarshalJSON reads the list.
func (t *tokenAndID) UnmarshalJSON(data []byte) error {
	var token string
	list := []any{&token, &t.id}
	if err := json.Unmarshal(data, &list); err != nil || len(list) != 2 {
		return fmt.Errorf("a special token of post_processor is not a list of the token and its id")
	}
	return nil
}

// templates returns the templates for one text and for two; size is the number of ids.
func (p *postProcessor) templates(size int) (single, pair template, err error) {
	switch {
	case p == nil: // texts stand alone
		return template{{sequence: 0}}, template{{sequence: 0}, {sequence: 1, typeID: 1}}, nil
	case p.Type == "BertProcessing":
		single, pair = bertTemplates(p.Cls.id, p.Sep.id)
	case p.Type == "RobertaProcessing":
		single, pair = robertaTemplates(p.Cls.id, p.Sep.id)
	case p.Type == "TemplateProcessing":
		if single, err = p.template(p.Single, 1); err != nil {
			return nil, nil, fmt.Errorf("post_processor.single: %w", err)
		}
		if pair, err = p.template(p.Pair, 2); err != nil {
			return nil, nil, fmt.Errorf("post_processor.pair: %w", err)
		}
	default:
		return nil, nil, fmt.Errorf("post_processor type %q is %w (implemented: TemplateProcessing, BertProcessing, RobertaProcessing)", p.Type, ErrNotImplemented)
	}
	for _, part := range append(append(template{}, single...), pair...) {
		for _, id := range part.ids {
			if id < 0 || int(id) >= size {
				return nil, nil, fmt.Errorf("post_processor has id %d, the vocabulary has %d ids", id, size)
			}
		}
	}
	return single, pair, nil
}

// template reads one template, in which each of the sequences stands exactly once.
func (p *postProcessor) template(list []templateJSON, sequences int) (template, error) {
	var t template
	var seen [2]int
	for i, e := range list {
		switch {
		case e.Special != nil:
			s, ok := p.Special[e.Special.ID]
			if !ok {
				return nil, fmt.Errorf("special token %q has no ids", e.Special.ID)
			}
			t = append(t, templatePart{sequence: -1, ids: s.IDs, typeID: e.Special.TypeID})
		case e.Sequence != nil && (e.Sequence.ID == "A" || e.Sequence.ID == "B"):
			n := int(e.Sequence.ID[0] - 'A')
			seen[n]++
			t = append(t, templatePart{sequence: n, typeID: e.Sequence.TypeID})
		default:
			return nil, fmt.Errorf("part %d is neither a special token nor sequence A or B", i+1)
		}
	}
	if seen != [2]int{1, sequences - 1} {
		return nil, fmt.Errorf("each sequence should stand once, but A stands %d times and B %d", seen[0], seen[1])
	}
	return t, nil
}
