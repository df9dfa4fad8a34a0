//! `#[heap_type]`: a struct of field declarations becomes a red reference with getters and setters.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Fields, GenericArgument, ItemStruct, PathArguments, Result, Type};

/// How a declared field type is stored, and how the accessors speak of it.
struct Storage {
    /// `hotloop::FieldKind`'s variant.
    kind: Ident,
    /// The accessor's type in mode `M`.
    red: TokenStream,
    /// `T` of `Green<T>`.
    green: Option<TokenStream>,
}

fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn argument(segment: &syn::PathSegment) -> Option<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        }),
        _ => None,
    }
}

fn storage(ty: &Type) -> Result<Storage> {
    let segment = last_segment(ty).ok_or_else(|| Error::new_spanned(ty, "expected a field type's name"))?;
    let plain = |kind: &str, red: TokenStream| Storage { kind: format_ident!("{kind}"), red, green: None };
    Ok(match segment.ident.to_string().as_str() {
        "Int" => plain("Int", quote!(::hotloop::Int<M>)),
        "Byte" => plain("Byte", quote!(::hotloop::Int<M>)),
        "Float" => plain("Float", quote!(::hotloop::Float<M>)),
        "Value" => plain("Value", quote!(::hotloop::Value<M>)),
        "Green" => {
            let inner = argument(segment).ok_or_else(|| Error::new_spanned(ty, "expected Green<T>"))?;
            Storage { kind: format_ident!("Int"), red: quote!(#inner), green: Some(quote!(#inner)) }
        }
        "Option" => {
            let inner = argument(segment).ok_or_else(|| Error::new_spanned(ty, "expected Option<T>"))?;
            plain("Ref", quote!(::core::option::Option<#inner<M>>))
        }
        _ => plain("Ref", quote!(#ty<M>)),
    })
}

/// Bytes or integers as slices, for residual functions. Only those that don't change can be borrowed.
fn plain_items(vis: &syn::Visibility, name: &Ident, item: TokenStream, immutable: bool) -> TokenStream {
    let (write, slice) = (format_ident!("write_{name}"), format_ident!("{name}_slice"));
    let borrow = immutable.then(|| {
        quote! {
            /// All items.
            #[inline]
            #[allow(dead_code)]
            #vis fn #slice(&self) -> &[#item] {
                ::hotloop::internal::item_slice(self)
            }
        }
    });
    quote! {
        #borrow
        /// Sets items.
        #[inline]
        #[allow(dead_code)]
        #vis fn #write(self, at: usize, items: &[#item]) {
            ::hotloop::internal::write_items(self, at, items)
        }
    }
}

/// What only frames have.
fn release(vis: &syn::Visibility) -> TokenStream {
    quote! {
        /// Says that the frame was left, and that neither the interpreter's state nor the caller will use it
        /// again: plain execution lets a later frame take its place, if no object got a reference to it.
        /// Recordings and compiled code do nothing.
        #[inline(always)]
        #[allow(dead_code)]
        #vis fn release(self, runtime: &::hotloop::Runtime) {
            M::release(runtime.heap(), self.0)
        }
    }
}

pub fn expand(options: TokenStream, item: ItemStruct) -> Result<TokenStream> {
    let virtualizable = match options.to_string().as_str() {
        "" => false,
        "virtualizable" => true,
        _ => return Err(Error::new_spanned(options, "the only option is `virtualizable`")),
    };
    let Fields::Named(fields) = &item.fields else {
        return Err(Error::new_spanned(&item, "a heap type has named fields"));
    };
    let (name, vis) = (&item.ident, &item.vis);
    let docs: Vec<_> = item.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).collect();
    let name_text = name.to_string();

    let mut specs = Vec::new();
    let mut accessors = Vec::new();
    let mut parameters = Vec::new();
    let mut initial = Vec::new();
    let mut items = quote!(::core::option::Option::None);
    let mut length = quote!(::core::option::Option::None);
    let mut has_items = false;
    let mut array = quote!();
    let mut plain = quote!();
    // Natives may have a handle for a frame, or look at one that a trace keeps to itself.
    let object = if virtualizable { quote!(M::frame(self.0)) } else { quote!(self.0) };
    let (share, release) = match virtualizable {
        false => (quote!(), quote!()),
        true => (quote!(M::share(#object);), release(vis)),
    };
    let fixed = 8 + 8 * fields.named.iter().filter(|field| !matches!(field.ty, Type::Slice(_))).count();

    // Those that were left are linked through their first field.
    let private = virtualizable && fixed > 8;

    for (index, field) in fields.named.iter().enumerate() {
        let field_name =
            field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "a name is missing"))?;
        let field_docs: Vec<_> =
            field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")).collect();
        let field_vis = &field.vis;
        let is = |word: &str| field.attrs.iter().any(|attribute| attribute.path().is_ident(word));
        let mutability = if is("immutable") {
            quote!(Immutable)
        } else if is("stable") {
            quote!(Stable)
        } else if is("waiting") {
            if !virtualizable {
                return Err(Error::new_spanned(field, "only frames wait: `#[heap_type(virtualizable)]`"));
            }
            quote!(Waiting)
        } else {
            quote!(Mutable)
        };
        let setter = format_ident!("set_{field_name}");
        if has_items {
            return Err(Error::new_spanned(field, "the array part comes last"));
        }
        if let Type::Slice(slice) = &field.ty {
            has_items = true;
            let Storage { kind, red, green } = storage(&slice.elem)?;
            if green.is_some() {
                return Err(Error::new_spanned(field, "items can't be green"));
            }
            let len = format_ident!("{field_name}_len");
            array = quote! {
                impl<M: ::hotloop::Mode> ::hotloop::HeapArray<M> for #name<M> {
                    type Item = #red;
                    const ITEMS: ::hotloop::internal::FieldKind = ::hotloop::internal::FieldKind::#kind;
                    const FIXED: usize = #fixed;
                }
            };
            if kind == "Byte" {
                plain = plain_items(field_vis, field_name, quote!(u8), is("immutable"));
            } else if kind == "Int" && green.is_none() && is("immutable") {
                plain = plain_items(field_vis, field_name, quote!(u64), true);
            }
            items = quote!(::core::option::Option::Some(
                (::hotloop::internal::FieldKind::#kind, ::hotloop::internal::Mutability::#mutability)));
            parameters.push(quote!(#len: impl ::core::convert::Into<::hotloop::Int<M>>));
            length = quote!(::core::option::Option::Some((
                ::hotloop::internal::int_word(#len.into()), ::hotloop::internal::FieldKind::#kind)));
            accessors.push(quote! {
                /// An item.
                #(#field_docs)*
                #[inline(always)]
                #[allow(dead_code)]
                #field_vis fn #field_name(self, index: impl ::core::convert::Into<::hotloop::Int<M>>) -> #red {
                    ::hotloop::internal::Stored::<M>::from_red(M::get_item(
                        #object, &Self::CELL, #fixed, ::hotloop::internal::FieldKind::#kind,
                        ::hotloop::internal::int_word(index.into())))
                }
                /// Sets an item.
                #[inline(always)]
                #[allow(dead_code)]
                #field_vis fn #setter(self, index: impl ::core::convert::Into<::hotloop::Int<M>>, value: #red) {
                    M::set_item(
                        #object, &Self::CELL, #fixed, ::hotloop::internal::FieldKind::#kind,
                        ::hotloop::internal::int_word(index.into()),
                        ::hotloop::internal::Stored::<M>::stored(value))
                }
                /// How many items there are; it never changes.
                #[inline(always)]
                #[allow(dead_code)]
                #field_vis fn #len(self) -> ::hotloop::Int<M> {
                    ::hotloop::internal::word_int(M::length(#object, &Self::CELL))
                }
            });
            continue;
        }
        let offset = 8 + 8 * index;
        let Storage { kind, red, green } = storage(&field.ty)?;
        let field_text = field_name.to_string();
        specs.push(quote!(::hotloop::internal::FieldSpec {
            name: #field_text,
            kind: ::hotloop::internal::FieldKind::#kind,
            mutability: ::hotloop::internal::Mutability::#mutability,
        }));
        let load = quote!(M::get_field(#object, &Self::CELL, #index, #offset, ::hotloop::internal::FieldKind::#kind));
        let read = match &green {
            Some(green) => quote!(::hotloop::internal::read_green::<M, #green>(#load)),
            None => quote!(::hotloop::internal::Stored::<M>::from_red(#load)),
        };
        let word = match &green {
            Some(_) => quote!(M::constant(::hotloop::GreenWord::to_word(value))),
            None => quote!(::hotloop::internal::Stored::<M>::stored(value)),
        };
        // What calls a new frame lasts longer than it.
        let first_word = match &green {
            None if virtualizable => quote!(::hotloop::internal::Stored::<M>::into_red(#field_name)),
            _ => quote!({ let value = #field_name; #word }),
        };
        let set = |object: TokenStream, word: TokenStream| {
            quote!(M::set_field(
                #object, &Self::CELL, #index, #offset, ::hotloop::internal::FieldKind::#kind,
                ::hotloop::internal::Mutability::#mutability, #word))
        };
        let (set_first, set_later) = (set(quote!(made__), first_word), set(object.clone(), word));
        // Setters of immutable fields are private, for the module that declares them.
        let setter_vis = if is("immutable") { quote!() } else { quote!(#field_vis) };
        accessors.push(quote! {
            #[doc = concat!("The field `", #field_text, "`.")]
            #[doc = ""]
            #(#field_docs)*
            #[inline(always)]
            #[allow(dead_code)]
            #field_vis fn #field_name(self) -> #red {
                #read
            }
            #[doc = concat!("Sets `", #field_text, "`.")]
            #[inline(always)]
            #[allow(dead_code)]
            #setter_vis fn #setter(self, value: #red) {
                #set_later
            }
        });
        if green.is_some() {
            let assume = format_ident!("assume_{field_name}");
            accessors.push(quote! {
                #[doc = concat!("Says what `", #field_text, "` is, which the author knows; no guard. A wrong one makes wrong traces;")]
                #[doc = "`check_hints` finds it."]
                #[inline(always)]
                #[allow(dead_code)]
                #field_vis fn #assume(self, known: #red) {
                    M::assume_word(#load, ::hotloop::GreenWord::to_word(known));
                }
            });
        }
        parameters.push(quote!(#field_name: #red));
        initial.push(quote!(#set_first;));
    }

    Ok(quote! {
        #(#docs)*
        #[repr(transparent)]
        #vis struct #name<M: ::hotloop::Mode>(M::Word, ::hotloop::internal::ThreadBound);

        impl<M: ::hotloop::Mode> ::core::clone::Clone for #name<M> {
            #[inline(always)]
            fn clone(&self) -> Self { *self }
        }
        impl<M: ::hotloop::Mode> ::core::marker::Copy for #name<M> {}

        impl<M: ::hotloop::Mode> #name<M> {
            const CELL: &'static ::hotloop::internal::TypeCell = {
                static CELL: ::hotloop::internal::TypeCell =
                    ::hotloop::internal::TypeCell::new(::hotloop::internal::TypeSpec {
                        name: #name_text,
                        fields: &[#(#specs,)*],
                        items: #items,
                        virtualizable: #virtualizable,
                    });
                &CELL
            };

            /// Makes an object. Items are zero: the small integer 0, no object, 0.
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            #vis fn new(runtime: &::hotloop::Runtime, #(#parameters),*) -> Self {
                let made__ = M::allocate(runtime.heap(), &Self::CELL, #fixed, #length, #private);
                #(#initial)*
                <Self as ::hotloop::HeapType<M>>::from_word(made__)
            }

            #(#accessors)*
            #release

            /// The object as a constant of the trace; a guard that it stays the same one.
            #[inline(always)]
            #[allow(dead_code)]
            #vis fn promote(self) -> Self {
                <Self as ::hotloop::HeapType<M>>::from_word(
                    M::constant(M::promote(#object, ::hotloop::internal::Ty::Ref)))
            }

            /// Whether both are the same object (a guard).
            #[inline(always)]
            #[allow(dead_code)]
            #vis fn is_same(self, other: Self) -> bool {
                M::branch(M::pure2(::hotloop::internal::Opcode::RefEq,
                    <Self as ::hotloop::HeapType<M>>::word(self), <Self as ::hotloop::HeapType<M>>::word(other)))
            }

            /// Whether it was made in this trace and nobody else can reach it yet (never in plain execution).
            /// Ways chosen by it must come to the same result.
            #[inline(always)]
            #[allow(dead_code)]
            #vis fn is_virtual(self) -> bool {
                M::is_virtual(self.0)
            }

            /// The object as a language value.
            #[inline(always)]
            #[allow(dead_code)]
            #vis fn to_value(self) -> ::hotloop::Value<M> {
                ::hotloop::Value::from_object(self)
            }
        }

        impl<M: ::hotloop::Mode> ::hotloop::HeapType<M> for #name<M> {
            #[inline(always)]
            fn cell() -> &'static ::hotloop::internal::TypeCell { Self::CELL }
            #[inline(always)]
            fn from_word(word: M::Word) -> Self { Self(word, ::core::marker::PhantomData) }
            #[inline(always)]
            fn word(self) -> M::Word { #object }
        }

        #array
        impl #name<::hotloop::Plain> { #plain }

        ::hotloop::stored_answer!(M, #name<M>);

        impl<M: ::hotloop::Mode> ::hotloop::internal::Stored<M> for #name<M> {
            const KIND: ::hotloop::internal::FieldKind = ::hotloop::internal::FieldKind::Ref;
            #[inline(always)]
            fn from_red(word: M::Word) -> Self { Self(word, ::core::marker::PhantomData) }
            #[inline(always)]
            fn into_red(self) -> M::Word { #object }
            #[inline(always)]
            fn stored(self) -> M::Word {
                #share
                #object
            }
        }
    })
}
