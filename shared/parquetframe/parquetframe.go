// Package parquetframe checks what surrounds a Parquet file before the library reads it.
package parquetframe

import (
	"encoding/binary"
	"errors"
)

const mark = "PAR1"

// Check checks the frame of the format: a mark, and at the end the footer, its length in
// four bytes and the mark again. The library sets as much memory aside as any length says.
func Check(data []byte) error {
	const size = len(mark) + 4 + len(mark)
	end := len(data) - len(mark) - 4
	switch {
	case len(data) < size || string(data[:len(mark)]) != mark || string(data[end+4:]) != mark:
		return errors.New("it is not Parquet from its beginning to its end")
	case int64(binary.LittleEndian.Uint32(data[end:])) > int64(len(data)-size):
		return errors.New("its footer is longer than the file")
	}
	return nil
}
