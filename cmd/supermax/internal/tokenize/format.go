package tokenize

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/supermax-hpo/supermax/batchjob/tokenizer"
)

// appendEncoding appends an encoding as a line of JSON.
func appendEncoding(dst []byte, e tokenizer.Encoding, o Options) ([]byte, error) {
	dst = appendNumbers(append(dst, `{"ids":`...), e.IDs)
	if o.TypeIDs {
		dst = appendNumbers(append(dst, `,"type_ids":`...), e.TypeIDs)
	}
	if o.Mask {
		dst = appendNumbers(append(dst, `,"mask":`...), e.Mask)
	}
	if o.Offsets {
		dst = append(dst, `,"offsets":[`...)
		for i, at := range e.Offsets {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendInt(append(dst, '['), int64(at[0]), 10)
			dst = strconv.AppendInt(append(dst, ','), int64(at[1]), 10)
			dst = append(dst, ']')
		}
		dst = append(dst, ']')
	}
	if o.Tokens {
		var tokens bytes.Buffer
		j := json.NewEncoder(&tokens)
		j.SetEscapeHTML(false)
		if err := j.Encode(e.Tokens); err != nil {
			return nil, err
		}
		dst = append(append(dst, `,"tokens":`...), bytes.TrimSpace(tokens.Bytes())...)
	}
	return append(dst, '}', '\n'), nil
}

func appendNumbers(dst []byte, numbers []int32) []byte {
	dst = append(dst, '[')
	for i, n := range numbers {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	return append(dst, ']')
}
