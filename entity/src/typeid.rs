//! TypeID: `prefix_` and a UUID in 26 characters of Crockford's base32, lower case.

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

pub fn encode(prefix: &str, uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    let mut text = String::with_capacity(prefix.len() + 1 + LENGTH);
    text.push_str(prefix);
    text.push('_');
    for place in (0..LENGTH).rev() {
        let digit = usize::try_from((bits >> (place * 5)) & 31).unwrap_or_default();
        text.push(char::from(ALPHABET.get(digit).copied().unwrap_or(b'0')));
    }
    text
}

/// `None` if the prefix is another, a character is foreign, or the number needs more than 128 bits.
pub fn decode(prefix: &str, text: &str) -> Option<Uuid> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?.as_bytes();
    // 26 digits hold 130 bits: a first digit over 7 would overflow.
    if digits.len() != LENGTH || *digits.first()? > b'7' {
        return None;
    }
    let mut bits = 0_u128;
    for byte in digits {
        let digit = ALPHABET.iter().position(|known| known == byte)?;
        bits = (bits << 5) | u128::try_from(digit).ok()?;
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specifications_own_example_comes_out() {
        let uuid = Uuid::from_u128(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057);
        assert_eq!(encode("prefix", uuid), "prefix_01h455vb4pex5vsknk084sn02q");
        assert_eq!(decode("prefix", "prefix_01h455vb4pex5vsknk084sn02q"), Some(uuid));
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in [
            "",
            "evt_",
            "evt_01h455vb4pex5vsknk084sn02",
            "bkg_01h455vb4pex5vsknk084sn02q",
            "evt_81h455vb4pex5vsknk084sn02q",
            "evt_01h455vb4pex5vsknk084sn0lq",
            "evt_01H455VB4PEX5VSKNK084SN02Q",
        ] {
            assert_eq!(decode("evt", text), None, "{text}");
        }
    }
}
