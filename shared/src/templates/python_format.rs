//! The format specifications of Python: fill, alignment, sign, `#`, `0`, width, grouping, precision and type.
use minijinja::formatting::{FormatStyle, format};
use serde_json::{Number, Value};

use super::python;

/// The widest a value is made, and the most digits it is given.
const MAX_SIZE: usize = 1000;

/// What stands behind the colon of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    /// Reads a specification.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut spec = Self::default();
        let mut chars = text.chars();
        let is_align = |char: char| "<>^=".contains(char);
        let (first, second) = (chars.next(), chars.clone().next());
        let mut rest = text;
        match (first, second) {
            (Some(fill), Some(align)) if is_align(align) => {
                (spec.fill, spec.align) = (Some(fill), Some(align));
                rest = &text[fill.len_utf8() + 1..];
            }
            (Some(align), _) if is_align(align) => {
                spec.align = Some(align);
                rest = &text[1..];
            }
            _ => {}
        }
        let mut take = |chars: &str| {
            let taken = rest.chars().next().filter(|char| chars.contains(*char));
            rest = &rest[taken.map_or(0, char::len_utf8)..];
            taken
        };
        spec.sign = take("+- ");
        if take("z").is_some() {
            return Err("the option `z` is not done here".to_owned());
        }
        spec.alternate = take("#").is_some();
        spec.zero = take("0").is_some();
        spec.width = number(&mut rest)?.unwrap_or_default();
        let mut take = |chars: &str| {
            let taken = rest.chars().next().filter(|char| chars.contains(*char));
            rest = &rest[taken.map_or(0, char::len_utf8)..];
            taken
        };
        spec.grouping = take(",_");
        if take(".").is_some() {
            spec.precision = Some(number(&mut rest)?.ok_or("a precision is missing after `.`")?);
        }
        let mut chars = rest.chars();
        spec.kind = chars.next();
        if spec.kind == Some('n') {
            return Err("the type `n` depends on a language; use `,` or `_` for groups of digits".to_owned());
        }
        let is_known = spec.kind.is_none_or(|kind| "bcdeEfFgGosxX%".contains(kind));
        if !is_known || chars.next().is_some() {
            return Err(format!("`{text}` is no format of Python"));
        }
        Ok(spec)
    }

    /// The value as Python's `format(value, spec)` writes it.
    pub(super) fn format(&self, value: &Value) -> Result<String, String> {
        if *self == Self::default() {
            return Ok(python::str(value));
        }
        match value {
            Value::String(text) => self.text(text),
            Value::Bool(truth) => self.integer(&Number::from(i64::from(*truth)), "a boolean"),
            Value::Number(number) if python::is_integer(number) => self.integer(number, "an integer"),
            Value::Number(number) => self.float(number.as_f64().unwrap_or(f64::NAN)),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err("a list, a map and `None` take no format; convert it with `!s` or `!r`".to_owned())
            }
        }
    }

    fn text(&self, text: &str) -> Result<String, String> {
        let wrong = |what: &str| Err(format!("{what} is for numbers, and the value is a text"));
        match self {
            Self { kind: Some(kind), .. } if *kind != 's' => return wrong(&format!("the type `{kind}`")),
            Self { sign: Some(_), .. } => return wrong("a sign"),
            Self { alternate: true, .. } => return wrong("`#`"),
            Self { grouping: Some(_), .. } => return wrong("`,` or `_`"),
            Self { align: Some('='), .. } => return wrong("`=`"),
            _ => {}
        }
        let cut: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        Ok(self.padded(&cut, '<'))
    }

    fn integer(&self, number: &Number, what: &str) -> Result<String, String> {
        match self.kind {
            None | Some('b' | 'c' | 'd' | 'o' | 'x' | 'X') => {}
            Some('s') => return Err(format!("the type `s` is for texts, and the value is {what}")),
            Some(_) => return self.float(number.as_f64().unwrap_or(f64::NAN)),
        }
        if self.precision.is_some() {
            return Err(format!("a precision is for texts and floats, and the value is {what}"));
        }
        let written = number.to_string();
        let integer: i128 = written.parse().map_err(|_| "the number is too large to be formatted".to_owned())?;
        if self.kind == Some('c') {
            if self.sign.is_some() || self.alternate || self.grouping.is_some() {
                return Err("the type `c` takes no sign, no `#` and no groups".to_owned());
            }
            let char = u32::try_from(integer).ok().and_then(char::from_u32).ok_or("the number is no character")?;
            return Ok(self.padded(&char.to_string(), '>'));
        }
        if self.grouping == Some(',') && matches!(self.kind, Some('b' | 'o' | 'x' | 'X')) {
            return Err("`,` groups decimal digits only".to_owned());
        }
        self.by_engine(minijinja::Value::from(integer))
    }

    fn float(&self, float: f64) -> Result<String, String> {
        // It keeps a point, or zeros, that are left out otherwise. Behind a point with digits there is nothing to keep.
        if self.alternate && (matches!(self.kind, None | Some('g' | 'G')) || self.precision == Some(0)) {
            return Err("`#` is not done here for a float that may lose its point or its last zeros".to_owned());
        }
        match self.kind {
            Some('b' | 'c' | 'd' | 'o' | 'x' | 'X') => {
                Err(format!("the type `{}` is for integers, and the value is a float", self.kind.unwrap_or('d')))
            }
            Some('s') => Err("the type `s` is for texts, and the value is a float".to_owned()),
            Some('%') => {
                let bare = Self { kind: Some('f'), ..self.unpadded() };
                let percent = format!("{}%", bare.by_engine(minijinja::Value::from(float * 100.0))?);
                self.placed(&percent)
            }
            None if self.precision.is_some() => self.general(float),
            _ => self.by_engine(minijinja::Value::from(float)),
        }
    }

    /// A precision without a type keeps a digit behind the point, and writes an exponent where none is left for it.
    fn general(&self, float: f64) -> Result<String, String> {
        let digits = self.precision.unwrap_or_default().max(1) - 1;
        let scientific = format!("{:.digits$e}", float.abs());
        let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<usize>().ok());
        if exponent != Some(digits) || float == 0.0 {
            return self.by_engine(minijinja::Value::from(float));
        }
        let bare = Self { kind: Some('e'), precision: Some(digits), ..self.unpadded() };
        let written = bare.by_engine(minijinja::Value::from(float))?;
        let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "+00"));
        let mantissa =
            if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
        let written = format!("{mantissa}e{exponent}");
        self.placed(&written)
    }

    /// A number that is written, filled up to the width.
    fn placed(&self, written: &str) -> Result<String, String> {
        // Zeros stand behind the sign, unless an alignment says where they stand.
        match self.align.map_or(self.zero, |align| align == '=') {
            true if self.grouping.is_some() => {
                Err("zeros and groups are not done here together with this type".to_owned())
            }
            true => Ok(self.signed_padded(written)),
            false => Ok(self.padded(written, '>')),
        }
    }

    /// The specification without what fills a value up to its width.
    fn unpadded(&self) -> Self {
        Self { fill: None, align: None, zero: false, width: 0, ..self.clone() }
    }

    /// Numbers, as the Jinja2 engine formats them in the place of Python.
    fn by_engine(&self, value: minijinja::Value) -> Result<String, String> {
        let mut spec = String::from("{:");
        let fill = self.fill.or(self.zero.then_some('0'));
        spec.extend(self.align.and(fill).into_iter().chain(self.align).chain(self.sign));
        spec.push_str(if self.alternate { "#" } else { "" });
        spec.push_str(if self.zero && self.align.is_none() { "0" } else { "" });
        if self.width > 0 {
            spec.push_str(&self.width.to_string());
        }
        spec.extend(self.grouping);
        if let Some(precision) = self.precision {
            spec.push('.');
            spec.push_str(&precision.to_string());
        }
        spec.extend(self.kind);
        spec.push('}');
        format(FormatStyle::StrFormat, &spec, &[value]).map_err(|error| error.to_string())
    }

    fn padded(&self, text: &str, default: char) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let fill = self.fill.unwrap_or(if self.zero { '0' } else { ' ' });
        let (before, after) = match self.align.unwrap_or(default) {
            '<' => (0, missing),
            '^' => (missing / 2, missing - missing / 2),
            _ => (missing, 0),
        };
        let run = |len: usize| std::iter::repeat_n(fill, len);
        run(before).chain(text.chars()).chain(run(after)).collect()
    }

    /// With what fills it between its sign and its digits.
    fn signed_padded(&self, text: &str) -> String {
        let digits = text.trim_start_matches(['-', '+', ' ']);
        let sign = &text[..text.len() - digits.len()];
        let missing = self.width.saturating_sub(text.chars().count());
        let fill = self.fill.unwrap_or(if self.zero { '0' } else { ' ' });
        sign.chars().chain(std::iter::repeat_n(fill, missing)).chain(digits.chars()).collect()
    }
}

/// A number of digits at the start of a text.
fn number(text: &mut &str) -> Result<Option<usize>, String> {
    let len = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(len);
    *text = rest;
    if digits.is_empty() {
        return Ok(None);
    }
    let number = digits.parse().ok().filter(|number| *number <= MAX_SIZE);
    number.map(Some).ok_or_else(|| format!("a width or a precision is at most {MAX_SIZE}"))
}
